"""The two towers: a row of cells for each layer, a column for each token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from tools.drawing.entries import Entry, Tower
from tools.drawing.svg import Canvas

CELL, PITCH, ROW = 12, 15, 18
MOST = 4
"""Slots side by side that are drawn one by one; of more the middle is left out."""


@dataclass(frozen=True)
class Column:
    kind: Literal["token", "slot", "gap", "more slots"]
    label: str = ""


def image_columns(slots: int, count: int) -> list[Column]:
    """Class token, patches, slots: `count` of them, whatever the number of slots."""
    behind = _run(slots)
    patches = [Column("token") for _ in range(count - 1 - len(behind))]
    patches[-2] = Column("gap")
    patches[len(patches) // 2 - 1] = Column("token", "patches")
    return [Column("token", "class token"), *patches, *behind]


def text_columns(tokens: Sequence[str | int]) -> list[Column]:
    found: list[Column] = []
    for is_slot, run in groupby(tokens, key=lambda token: isinstance(token, int)):
        members = list(run)
        found += _run(len(members)) if is_slot else [Column("token", _shown(str(word))) for word in members]
    return found


def _shown(word: str) -> str:
    return f"[{word}]" if word in ("start", "end") else word


def _run(slots: int) -> list[Column]:
    if slots == 0:
        return []
    columns = [Column("slot") for _ in range(min(slots, MOST))]
    columns[(len(columns) - 1) // 2] = Column("slot", f"{slots} slots" if slots > 1 else "1 slot")
    if slots > MOST:
        columns.insert(MOST // 2, Column("more slots"))
    return columns


@dataclass(frozen=True)
class Drawn:
    """A tower in its place."""

    tower: Tower
    left: int
    top: int
    columns: Sequence[Column]
    layers: int

    @property
    def right(self) -> int:
        return self.left + PITCH * len(self.columns) + 5

    @property
    def bottom(self) -> int:
        return self.top + ROW * self.layers

    def x(self, column: int) -> int:
        """The left side of a column's cells."""
        return self.left + 4 + PITCH * column

    def y(self, layer: int) -> int:
        """The upper side of a layer's cells; the first layer is the lowest."""
        return self.top + ROW * (self.layers - 1 - layer) + 2

    def draw(self, canvas: Canvas, entries: Sequence[Entry | None]) -> None:
        self._define_layer(canvas)
        slots = [n for n, column in enumerate(self.columns) if column.kind == "slot"]
        for layer in range(self.layers):
            canvas.place(f"{self.tower}-layer", self.left, self.y(layer) - 2)
            entry = entries[layer] if layer < len(entries) else None
            if not any(entries[: layer + 1]):
                continue
            for column in slots:
                canvas.place(cell(canvas, self.tower, entry), self.x(column), self.y(layer))
            for n, column in enumerate(self.columns):
                if column.kind == "more slots":
                    canvas.place(_dots(canvas), self.x(n), self.y(layer))
        outer, side = (self.left - 5, "end") if self.tower == "image" else (self.right + 5, "start")
        for layer in range(self.layers):
            canvas.text(str(layer + 1), outer, self.y(layer) + 10, f"small {side}")
        for n, column in enumerate(self.columns):
            if column.label:
                x, y = self.x(n) + 3, self.bottom + 8
                canvas.text(column.label, x, y, "small", transform=f"rotate(60 {x} {y})")

    def _define_layer(self, canvas: Canvas) -> None:
        frozen(canvas)
        parts = [f'<rect class="layer" width="{self.right - self.left}" height="16" rx="3"/>']
        for n, column in enumerate(self.columns):
            x = 4 + PITCH * n
            if column.kind == "token":
                parts.append(f'<use href="#frozen" x="{x}" y="2"/>')
            elif column.kind == "gap":
                parts.append(f'<use href="#{_dots(canvas)}" x="{x}" y="2"/>')
        canvas.definitions[f"{self.tower}-layer"] = "".join(parts)


COLOURS = {"text": "text", "image": "image", "pixels": "image", "joint": "joint", "names": "text"}


def cell(canvas: Canvas, tower: Tower, entry: Entry | None) -> str:
    """The name of the cell's shape: of one colour or two, by what it is made of; empty where nothing enters."""
    if entry is None:
        canvas.definitions[f"{tower}-kept"] = _square("none", f' class="from-{tower}" stroke-dasharray="2 2"', 1)
        return f"{tower}-kept"
    own, *other = sorted({COLOURS[source] for source in entry.made_of}, key=lambda colour: colour != tower)
    stacked = (entry.per_image or entry.per_class) and not entry.looks and not entry.keeps
    marks = {"each": stacked, "looks": entry.looks, "keeps": entry.keeps}
    name = "-".join([own, *other, *(mark for mark, there in marks.items() if there)])
    drawn = f'<rect class="{own}" width="{CELL}" height="{CELL}" rx="2"/>'
    if other:
        drawn += f'<path class="{other[0]}" d="M2 0H10a2 2 0 0 1 2 2V{CELL}L0 0z"/>'
    if stacked:
        drawn = f'<path class="from-{own}" d="M3 -1.5H12a2 2 0 0 1 1.5 1.5V9"/>' + drawn
    if entry.looks:
        drawn += f'<circle class="eye" cx="{CELL // 2}" cy="{CELL // 2}" r="2.4"/>'
    if entry.keeps:
        drawn += f'<path class="below" d="M1.5 {CELL - 3}H{CELL - 1.5}"/>'
    canvas.definitions[name] = drawn
    return name


def frozen(canvas: Canvas) -> str:
    canvas.definitions["frozen"] = f'<rect class="frozen" width="{CELL}" height="{CELL}" rx="2"/>'
    return "frozen"


def _dots(canvas: Canvas) -> str:
    canvas.definitions["dots"] = "".join(f'<circle class="frozen" cx="{x}" cy="6" r="1.2"/>' for x in (2, 6, 10))
    return "dots"


def _square(fill: str, attributes: str, inset: int) -> str:
    side = CELL - 2 * inset
    return f'<rect x="{inset}" y="{inset}" width="{side}" height="{side}" rx="2" fill="{fill}"{attributes}/>'
