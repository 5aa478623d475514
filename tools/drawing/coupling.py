"""What flows between the towers: arrows in the gutter, through the trained maps that they pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from tools.drawing.anatomy import Anatomy
from tools.drawing.entries import TOWERS, Source
from tools.drawing.svg import Canvas
from tools.drawing.towers import CELL, COLOURS, ROW, Drawn

BOX = 14

Target = Literal["text", "image", "both"]


@dataclass(frozen=True)
class Lane:
    """All that flows from one source to one tower, or to both."""

    source: Source
    target: Target
    maps: dict[int, frozenset[str]]
    """By layer."""

    centre: int

    @property
    def left(self) -> int:
        return self.centre - BOX // 2

    @property
    def right(self) -> int:
        return self.centre + BOX // 2


def draw_coupling(canvas: Canvas, image: Drawn, text: Drawn, found: Anatomy) -> list[Lane]:
    """The lanes, for what else leads to them."""
    lanes = _lanes(found, (image.right + text.left) // 2)
    for lane in lanes:
        _boxes(canvas, lane, image)
    for lane in lanes:
        kind = f"from-{COLOURS[lane.source]}"
        for layer in lane.maps:
            crossed = sum(layer in other.maps for other in lanes) > 1
            y = image.y(layer) + CELL // 2 + (0 if not crossed else -3 if lane.target == "image" else 3)
            if lane.target != "text":
                canvas.add("path", **{"class": kind}, d=f"M{lane.left} {y}H{image.right + 2}m4 -3l-4 3l4 3")
            if lane.target != "image":
                canvas.add("path", **{"class": kind}, d=f"M{lane.right} {y}H{text.left - 2}m-4 -3l4 3l-4 3")
            if lane.source == "text":
                canvas.add("path", **{"class": kind}, d=f"M{text.left - 2} {y}H{lane.right}")
            if lane.source == "image":
                canvas.add("path", **{"class": kind}, d=f"M{image.right + 2} {y}H{lane.left}")
    return lanes


def _lanes(found: Anatomy, middle: int) -> list[Lane]:
    flows: dict[tuple[Source, Target], dict[int, frozenset[str]]] = {}
    for tower in TOWERS:
        for layer, entry in enumerate(found.entries(tower)):
            if entry is None:
                continue
            for source in sorted(entry.made_of - {tower}):
                flows.setdefault((source, "both" if source == "joint" else tower), {})[layer] = entry.maps
    shift = BOX // 2 + 1 if len({target for _, target in flows} - {"both"}) > 1 else 0
    side = {"image": -shift, "text": shift, "both": 0}
    return [Lane(source, target, maps, middle + side[target]) for (source, target), maps in flows.items()]


def _boxes(canvas: Canvas, lane: Lane, tower: Drawn) -> None:
    """One box for all layers in a row that share their maps."""
    for maps, run in groupby(sorted(lane.maps), key=lambda layer: lane.maps[layer]):
        layers = list(run)
        if maps:
            place = {"x": lane.left, "y": tower.y(layers[-1]), "width": BOX, "height": ROW * len(layers) - 6}
            canvas.add("rect", **{"class": f"map-{COLOURS[lane.source]}"}, **place, rx=3)


def map_shape(canvas: Canvas, lane: Lane) -> str:
    """The name of the shape that stands for a lane's maps."""
    colour = COLOURS[lane.source]
    canvas.definitions[f"map-{colour}"] = f'<rect class="map-{colour}" width="{CELL}" height="{CELL}" rx="3"/>'
    return f"map-{colour}"
