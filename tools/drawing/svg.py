"""Scalable pictures as plain text, one element a line, so that a change shows as a change of lines."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

# In the middle between white and black: readable on a light page and on a dark one.
INK, FROZEN, TEXT, IMAGE, JOINT = "#768390", "#8b949e", "#2f81c9", "#d9822b", "#9a63c9"

_STYLE = f"""\
text {{ font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: {INK} }}
.small {{ font-size: 10px }}
.strong {{ font-weight: 600 }}
.middle {{ text-anchor: middle }}
.end {{ text-anchor: end }}
.line {{ fill: none; stroke: {FROZEN}; stroke-width: 1.2 }}
.layer {{ fill: {FROZEN}; fill-opacity: .13 }}
.frozen {{ fill: {FROZEN}; fill-opacity: .38 }}
.text {{ fill: {TEXT} }}
.image {{ fill: {IMAGE} }}
.joint {{ fill: {JOINT} }}
.from-text {{ stroke: {TEXT} }}
.from-image {{ stroke: {IMAGE} }}
.from-joint {{ stroke: {JOINT} }}
.from-text, .from-image, .from-joint {{ fill: none; stroke-width: 1.5 }}
.map-text {{ fill: {TEXT}; stroke: {TEXT} }}
.map-image {{ fill: {IMAGE}; stroke: {IMAGE} }}
.map-joint {{ fill: {JOINT}; stroke: {JOINT} }}
.map-text, .map-image, .map-joint {{ fill-opacity: .25; stroke-width: 1.5 }}
.node {{ fill: {INK} }}
.below {{ stroke: #fff; stroke-width: 2.5; stroke-dasharray: 2 1 }}
.eye {{ fill: #fff; stroke: #24292f; stroke-width: 1.6 }}"""


class Canvas:
    def __init__(self, width: int, title: str) -> None:
        self.width, self.title = width, title
        self.definitions: dict[str, str] = {}
        """Shapes that are placed several times."""

        self._body: list[str] = []

    def add(self, element: str, **attributes: object) -> None:
        self._body.append(f"<{element} {_written(attributes)}/>")

    def place(self, shape: str, x: int, y: int) -> None:
        self.add("use", href=f"#{shape}", x=x, y=y)

    def text(self, words: str, x: int, y: int, kind: str = "", **attributes: object) -> None:
        chosen = {"x": x, "y": y, **({"class": kind} if kind else {}), **attributes}
        self._body.append(f"<text {_written(chosen)}>{escape(words)}</text>")

    def spans(self, parts: Sequence[tuple[str, str]], x: int, y: int) -> None:
        """Words in a row, each with its own class or none."""
        inside = "".join(
            f'<tspan class="{kind}">{escape(words)}</tspan>' if kind else escape(words) for words, kind in parts
        )
        self._body.append(f'<text x="{x}" y="{y}" class="small" xml:space="preserve">{inside}</text>')

    def written(self, height: int) -> str:
        shapes = [f'<g id="{name}">{drawn}</g>' for name, drawn in sorted(self.definitions.items())]
        size = f'width="{self.width}" height="{height}" viewBox="0 0 {self.width} {height}"'
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
                f"<title>{escape(self.title)}</title>",
                f"<style>\n{_STYLE}\n</style>",
                *(["<defs>", *shapes, "</defs>"] if shapes else []),
                *self._body,
                "</svg>\n",
            ]
        )


def _written(attributes: dict[str, object]) -> str:
    return " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
