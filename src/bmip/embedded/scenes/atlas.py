"""Everything that a scene may show: the drawn things, then digits and letters; and all their pictures in one table."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from bmip.embedded.pictures import Thing, families, things
from bmip.embedded.scenes.glyphs import GLYPHS, written

PAD = 4
"""Transparent pixels around each picture, so that its edge is smooth."""

PEN = "pen"
"""The family of the written digits and letters."""


@cache
def shown_things() -> tuple[Thing, ...]:
    """The things that families of artists have drawn, then digits and letters."""
    return (*things(), *GLYPHS)


def first_written() -> int:
    """The place of the first digit's picture in the atlas: letters follow, and nothing else."""
    return sum(len(family.things) for family in families().values())


@cache
def atlas() -> UInt8[Tensor, "picture 4 56 56"]:
    """The pictures of all families, one after the other, with a transparent rim; colours are times opacity."""
    whole = torch.cat([*(family.pictures() for family in families().values()), written()[0]])
    colours, opacity = whole[:, :3].short(), whole[:, 3:]
    colours = ((colours * opacity + 127) // 255).to(torch.uint8)
    return functional.pad(torch.cat([colours, opacity], dim=1), (PAD,) * 4)


@cache
def pictures_of(of: tuple[str, ...]) -> Int64[np.ndarray, "thing option"]:
    """The places in the atlas of every thing's pictures by these families; -1 where a row has no more."""
    rows: list[list[int]] = [[] for _ in shown_things()]
    for place, (family, thing) in enumerate(_order()):
        if family in of:
            rows[thing].append(place)
    most = max(map(len, rows))
    return np.array([row + [-1] * (most - len(row)) for row in rows])


@cache
def is_black() -> Bool[np.ndarray, " picture"]:
    """Whether a picture is all black, so that it needs a light background."""
    return np.array([family.endswith("-black") for family, _ in _order()])


def _order() -> list[tuple[str, int]]:
    """The family and the thing of each picture of the atlas."""
    drawn = [(family.name, thing) for family in families().values() for thing in family.things]
    return drawn + [(PEN, len(things()) + glyph) for glyph in written()[1]]
