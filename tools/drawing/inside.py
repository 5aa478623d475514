"""What a method puts inside the towers: changed weights, and modules beside the blocks."""

from __future__ import annotations

from tools.drawing.anatomy import Anatomy
from tools.drawing.coupling import BOX
from tools.drawing.svg import Canvas
from tools.drawing.towers import CELL, Drawn

SIDE = 10
"""Width of a module beside a block."""


def draw_inside(canvas: Canvas, image: Drawn, text: Drawn, found: Anatomy) -> dict[str, str]:
    """Draw it, and give the meaning of each shape for the legend."""
    meaning = {}
    middle = (image.right + text.left) // 2
    for drawn in (image, text):
        for layer in sorted(found.weights[drawn.tower]):
            place = {"x": drawn.left, "y": drawn.y(layer) - 2, "width": drawn.right - drawn.left, "height": 16}
            canvas.add("rect", **{"class": f"map-{drawn.tower}"}, **place, rx=3)
            meaning[f"trained change of the {drawn.tower} tower's weights"] = _shape(canvas, drawn.tower)
        for layer in sorted(found.beside[drawn.tower]):
            x = drawn.right + 8 if drawn is image else drawn.left - 8 - SIDE
            canvas.add("rect", **{"class": f"map-{drawn.tower}"}, x=x, y=drawn.y(layer), width=SIDE, height=CELL, rx=3)
            meaning[f"trained module beside the {drawn.tower} block"] = _shape(canvas, drawn.tower)
    for layer in sorted(found.shared):
        y = image.y(layer)
        left, right = image.right + 8 + SIDE, text.left - 8 - SIDE
        for start, end in ((left, middle - BOX // 2), (middle + BOX // 2, right)):
            canvas.add("path", **{"class": "from-joint"}, d=f"M{start} {y + CELL // 2}H{end}")
        canvas.add("rect", **{"class": "map-joint"}, x=middle - BOX // 2, y=y, width=BOX, height=CELL, rx=3)
        meaning["trained map in both"] = _shape(canvas, "joint")
    return meaning


def _shape(canvas: Canvas, colour: str) -> str:
    canvas.definitions[f"map-{colour}"] = f'<rect class="map-{colour}" width="{CELL}" height="{CELL}" rx="3"/>'
    return f"map-{colour}"
