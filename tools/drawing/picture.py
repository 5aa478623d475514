"""A method as a picture: both towers from the tokens at the bottom to the losses at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tools.drawing.anatomy import LAYERS, Anatomy, Sentence, anatomy
from tools.drawing.coupling import Lane, draw_coupling, map_shape
from tools.drawing.entries import TOWERS, Entry, reach
from tools.drawing.inside import draw_inside
from tools.drawing.losses import Loss
from tools.drawing.svg import Canvas
from tools.drawing.towers import CELL, Drawn, cell, frozen, image_columns, text_columns

WIDTH, GUTTER = 640, 112
LEFT, EDGE = 118, 24
"""Where the image tower begins, and what stands below."""

IMAGE_COLUMNS = 10
LINE = 14

PLACES = ("logits", "image", "text")
"""Of losses: with the first of these that they depend on."""


def file_name(method: str) -> str:
    """The name of the file that holds a method's picture."""
    return method.replace("+", "-").replace("_", "-") + ".svg"


def picture(method: str, options: Mapping[str, Any]) -> str:
    """The method with these options as the text of an SVG file.

    Raises ValueError as `build_model` does.
    """
    found = anatomy(method, options)
    canvas = Canvas(WIDTH, _title(method, found))
    over = {place: _losses_at(place, found.losses) for place in PLACES}
    features = 12 + LINE * max(map(len, over.values()))
    top = features + (54 if found.adapted or found.read_out else 36)
    tokens = text_columns(found.sentences[0].tokens)
    left = LEFT - (24 if len(tokens) > 12 else 0)  # room for what stands over the end token
    image = Drawn("image", left, top, image_columns(found.image_slots, IMAGE_COLUMNS), LAYERS)
    text = Drawn("text", image.right + GUTTER, top, tokens, LAYERS)
    image.draw(canvas, found.image)
    text.draw(canvas, found.text)
    lanes = draw_coupling(canvas, image, text, found)
    inside = draw_inside(canvas, image, text, found)
    _draw_features(canvas, found, image, text, features)
    for place, x in _places(image, text).items():
        canvas.add("circle", **{"class": "node"}, cx=x, cy=features, r=4)
        for n, (words, kind) in enumerate(reversed(over[place])):
            canvas.text(words, x, features - 11 - LINE * n, f"middle {kind}")
    for lane in lanes:
        if lane.source == "names":
            x, y = lane.centre, image.y(max(lane.maps)) + CELL // 2
            canvas.text("frozen class features", x, y - 26, "small middle")
            canvas.add("path", **{"class": "from-text"}, d=f"M{x} {y - 22}V{y - 9}m-3 -4l3 4l3 -4")
        if lane.source == "pixels":
            x, y = lane.centre - 30, image.y(min(lane.maps)) + CELL // 2
            canvas.add("circle", **{"class": "image"}, cx=x, cy=features, r=3)
            canvas.add("path", **{"class": "from-image"}, d=f"M{x} {features}V{y}H{lane.left}")
    y = text.bottom + 72
    for words in _below(found):
        canvas.spans(words, EDGE, y)
        y += 16
    return canvas.written(_legend(canvas, found, lanes, inside, y - 6))


def _places(image: Drawn, text: Drawn) -> dict[str, int]:
    """Where the features are read, and between them the logits."""
    ends = {"image": image.x(0) + CELL // 2, "text": text.x(len(text.columns) - 1) + CELL // 2}
    return {**ends, "logits": (image.right + text.left) // 2}


def _draw_features(canvas: Canvas, found: Anatomy, image: Drawn, text: Drawn, y: int) -> None:
    places = _places(image, text)
    canvas.add("path", **{"class": "line"}, d=f"M{places['image']} {y}H{places['text']}")
    for tower in (image, text):
        x = places[tower.tower]
        box = "v-17" if tower.tower in found.adapted else f"V{y + 21}"
        canvas.add("path", **{"class": "line"}, d=f"M{x} {tower.top + 1}{box}M{x} {y + 21}v-16m-3 4l3 -4l3 4")
        if tower.tower in found.adapted:
            canvas.add("rect", **{"class": f"map-{tower.tower}"}, x=x - 28, y=y + 21, width=56, height=17, rx=3)
            canvas.text("adapter", x, y + 33, "small middle")
    if found.head:
        x = places["logits"]
        canvas.add("path", **{"class": "line"}, d=f"M{x} {y + 21}v-4")
        canvas.add("rect", **{"class": "map-joint"}, x=x - 22, y=y + 21, width=44, height=17, rx=3)
        canvas.text("head", x, y + 33, "small middle")
        canvas.add("path", **{"class": "line"}, d=f"M{x} {y + 64}v-24m-3 4l3 -4l3 4")
        for n, words in enumerate(("features of the", "training images")):
            canvas.text(words, x, y + 76 + 12 * n, "small middle")
    if found.read_out:
        slots = [n for n, column in enumerate(image.columns) if column.kind == "slot"]
        x = (image.x(slots[0]) + image.x(slots[-1]) + CELL) // 2
        canvas.add("path", **{"class": "line"}, d=f"M{x} {image.top + 1}v-17M{x} {y + 21}v-21m-3 4l3 -4l3 4")
        canvas.add("rect", **{"class": "map-image"}, x=x - 28, y=y + 21, width=56, height=17, rx=3)
        canvas.text("read-out", x, y + 33, "small middle")
    else:
        canvas.text("image tower", image.right, image.top - 6, "small end")
    canvas.text("text tower", text.left, text.top - 6, "small")
    each = " per image" if any(entry and entry.per_image for entry in found.text) else ""
    canvas.text("image feature", places["image"] + 10, y + 13, "small")
    canvas.text("logits", places["logits"], y + 13, "small middle")
    canvas.text(f"class features{each}", places["text"] - 10, y + 13, "small end")


def _losses_at(place: str, losses: Sequence[Loss]) -> list[tuple[str, str]]:
    """The lines over a node: what is minimised there, and what it is measured against."""
    lines = []
    for loss in losses:
        if _place(loss) == place:
            lines.append((loss.name.replace("_", " ") + (" (guide)" if loss.guides else ""), "strong"))
            if against := _against(loss):
                lines.append((f"against {against}", "small"))
    return lines


def _place(loss: Loss) -> str:
    return next((place for place in PLACES if place in loss.depends_on), "prompts")


def _against(loss: Loss) -> str:
    if {"frozen text", "frozen image"} <= loss.depends_on:
        return "the frozen CLIP's"
    if "frozen text" in loss.depends_on:
        return "the frozen sentence" if loss.sentences == 1 else f"{loss.sentences} frozen sentences"
    if "frozen other view" in loss.depends_on:
        return "a second view's frozen one"
    return "the frozen one" if "frozen image" in loss.depends_on else ""


def _below(found: Anatomy) -> list[list[tuple[str, str]]]:
    """What does not stand in the towers, as lines of words and their colours."""
    lines = [[(f"{other.variants} more prompts: ", ""), *_spelled(other)] for other in found.sentences[1:]]
    if len(found.sentences) > 1:
        lines.insert(0, [(f"the {found.sentences[0].variants} prompts above: ", ""), *_spelled(found.sentences[0])])
    lines += [[(f"{loss.name}: among the prompts alone", "")] for loss in found.losses if _place(loss) == "prompts"]
    if found.probe:
        lines.append([("text gates read [end] of: ", ""), *_spelled(found.probe)])
    if found.averaged:
        lines.append([("used for testing: the mean of the trainable parameters over epochs", "")])
    return lines


def _spelled(sentence: Sentence) -> list[tuple[str, str]]:
    shapes = {"slot": ("■", "text"), "more slots": ("…", "")}
    return [shapes.get(column.kind, (f" {column.label} ", "")) for column in text_columns(sentence.tokens)]


def _legend(canvas: Canvas, found: Anatomy, lanes: Sequence[Lane], inside: Mapping[str, str], y: int) -> int:
    """Draw it and give the picture's height."""
    shapes: dict[str, str] = {"frozen": frozen(canvas)}
    kept: dict[str, str] = {}
    for tower in TOWERS:
        entries = found.entries(tower)
        for entry in entries:
            if entry:
                shapes.setdefault(_meaning(entry), cell(canvas, tower, entry))
        first = next((layer for layer, entry in enumerate(entries) if entry), LAYERS)
        if first < LAYERS and (None in entries[first:] or len(entries) < LAYERS):
            kept.setdefault("left as the layer below made it", cell(canvas, tower, None))
    passed = next((lane for lane in lanes if any(lane.maps.values())), None)
    boxes = {"trained map": map_shape(canvas, passed)} if passed else {}
    x = EDGE
    for words, shape in {**shapes, **boxes, **inside, **kept}.items():
        width = 34 + 11 * len(words) // 2
        if x + width > WIDTH:
            x, y = EDGE, y + 18
        canvas.place(shape, x, y)
        canvas.text(words, x + 18, y + 10, "small")
        x += width
    return y + 22


MEANING = {
    "text": "text vectors",
    "image": "image vectors",
    "joint": "vectors for both towers",
    "pixels": "what the image shows",
    "names": "the class's frozen feature",
}


def _meaning(entry: Entry) -> str:
    made_of = " + ".join(MEANING[source] for source in sorted(entry.made_of, key=list(MEANING).index))
    each = ", for each class" if entry.per_class else ""
    if entry.looks:
        return f"{made_of}, weighted by attention{each}"
    if entry.keeps:
        return f"trained {made_of}, mixed with what the layer below left"
    return f"map of {made_of}" if entry.made_of == {"names"} else f"trained {made_of}{each}"


def _title(method: str, found: Anatomy) -> str:
    def layers(entries: Sequence[Entry | None]) -> str:
        number = sum(entry is not None for entry in entries)
        return f"{'layers' if number > 1 else 'layer'} {reach(entries)}" if number else "none"

    return f"{method}: text prompts enter {layers(found.text)}, image prompts {layers(found.image)}"
