"""Draws the sheets of docs/embedded.md: `python -m tools.embedded.sheets docs/images/embedded`.

One for each data set of scenes, with images of its splits; one with the same things by every family; and scenes of
pre-training with their captions.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from bmip.embedded.pictures import families, things
from bmip.embedded.scenes.atlas import shown_things
from bmip.embedded.scenes.captions import captions
from bmip.embedded.scenes.compose import Plan, compose, held_out, pretraining_plan
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.embedded.scenes.render import render
from bmip.embedded.scenes.sceneset import SceneSet
from bmip.system.threads import threads

COLUMNS = 8
ZOOM, GAP, MARGIN = 2, 10, 110
LINE, LETTERS = 15, 14
INK = (34, 34, 59)
SHOWN = ("whale", "elephant", "strawberry", "hamburger", "bicycle", "castle", "umbrella", "violin")
"""The things of the sheet of families."""

Images = UInt8[Tensor, "image 3 height width"]


@dataclass(frozen=True)
class Row:
    """Images side by side, with a heading on the left and perhaps words below each."""

    heading: str
    images: Images
    words: Sequence[str] = ()


def draw(rows: Sequence[Row]) -> Image.Image:
    """The rows below each other on white."""
    font = ImageFont.load_default(12)
    side = rows[0].images.shape[-1] * ZOOM
    lines = [max((_folded(word).count("\n") + 1 for word in row.words), default=0) for row in rows]
    width = MARGIN + max(len(row.images) for row in rows) * (side + GAP)
    sheet = Image.new("RGB", (width, sum(side + GAP + LINE * count for count in lines) + GAP), "white")
    pen, top = ImageDraw.Draw(sheet), GAP
    for row, count in zip(rows, lines, strict=True):
        pen.multiline_text((GAP, top + 4), _folded(row.heading), INK, font)
        for column, image in enumerate(row.images):
            left = MARGIN + column * (side + GAP)
            small = Image.fromarray(image.permute(1, 2, 0).numpy())
            sheet.paste(small.resize((side, side), Image.Resampling.NEAREST), (left, top))
            if row.words:
                pen.multiline_text((left, top + side + 2), _folded(row.words[column]), INK, font, spacing=2)
        top += side + GAP + LINE * count
    return sheet


def of_set(one: SceneSet) -> list[Row]:
    """Some classes, evenly spread, with the first image of each split."""
    classes = np.linspace(0, len(one.class_names) - 1, COLUMNS).astype(int).tolist()
    rows = []
    for part in one.families:
        images, labels = one.split(part)
        first = torch.stack([images[labels == label][0] for label in classes])
        rows.append(Row({"train": "training", "val": "validation"}.get(part, part), first))
    return [*rows[:-1], Row(rows[-1].heading, rows[-1].images, [one.class_names[label] for label in classes])]


def of_families() -> list[Row]:
    """The same things by every family, alone and upright."""
    rng, shown = np.random.default_rng(0), [things().index(thing) for thing in things() if thing.name in SHOWN]
    rows = []
    for family in families().values():
        drawn = np.array([place for place in shown if place in family.things])
        plan = Plan(families=(family.name,), side=(44.0, 44.0), turn=0.0, mirror_rate=0.0, tint=0.0)
        white = np.zeros(len(drawn), dtype=np.int64)
        scene, _ = compose(rng, plan, drawn, others=drawn, surface=white)
        scene.colours.fill_(1.0)
        rows.append(Row(f"{family.name}: {family.style}", render(scene)))
    return rows


def of_captions(count: int = 3) -> list[Row]:
    """Scenes as the last half of pre-training shows them, with what it says of them."""
    rng = np.random.default_rng(5)
    known = np.array(sorted(set(range(len(shown_things()))) - held_out()))
    scene, content = compose(rng, pretraining_plan(1.0), rng.choice(known, count * COLUMNS), others=known)
    images, said = render(scene), captions(content, rng)
    return [
        Row("pre-training", images[start : start + COLUMNS], said[start : start + COLUMNS])
        for start in range(0, len(images), COLUMNS)
    ]


def sheets() -> dict[str, list[Row]]:
    """Every sheet by the name of its file."""
    known = {"families": of_families(), "captions": of_captions()}
    return known | {name: of_set(load_scenes(name)) for name in scene_names()}


def _folded(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LETTERS, max_lines=7, placeholder=" ..."))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.embedded.sheets FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with threads(1):
        for name, rows in sheets().items():
            draw(rows).quantize(128, dither=Image.Dither.NONE).save(folder / f"{name}.png", optimize=True)
