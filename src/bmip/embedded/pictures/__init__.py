"""A thousand things as pictures, each drawn by up to nine families of artists; NOTICE.md names them and their licences.

A family is a WebP file without loss: a sheet with rows of 32 pictures of 48 x 48 pixels. `python -m tools.pictures`
builds all the files here but this one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

FOLDER = Path(__file__).parent
SIDE, COLUMNS = 48, 32
"""Pixels along each side of a picture, and pictures in each row of a sheet."""


@dataclass(frozen=True)
class Thing:
    """Something that was drawn, in the words of the Unicode consortium."""

    name: str
    """What it is called, such as "hiking boot"."""

    keywords: tuple[str, ...]
    """Other words for it, without those of the name."""

    kind: str
    """The narrow group that it belongs to, such as "clothing"."""

    group: str
    """The wide group that it belongs to, such as "objects"."""


@dataclass(frozen=True)
class Family:
    """The pictures of one group of artists, in one style."""

    name: str
    style: str
    """The style in a few words, such as "flat"."""

    sha256: str
    """The hash of the file."""

    things: tuple[int, ...]
    """The place among `things()` of what each picture shows."""

    @property
    def file(self) -> Path:
        """The sheet of pictures."""
        return FOLDER / f"{self.name}.webp"

    def pictures(self) -> UInt8[Tensor, "picture 4 48 48"]:
        """The pictures with their opacity as the fourth channel; picture i shows the thing `self.things[i]`.

        Raises ValueError where the file is not the one that came with the package.
        """
        content = self.file.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(f"{self.file} is damaged: install bmip again")
        with Image.open(self.file) as sheet:
            pixels = np.asarray(sheet.convert("RGBA"))
        rows = torch.from_numpy(pixels.reshape(-1, SIDE, COLUMNS, SIDE, 4).copy())
        return rows.permute(0, 2, 4, 1, 3).flatten(0, 1)[: len(self.things)].contiguous()


@cache
def things() -> tuple[Thing, ...]:
    """All things, in the order of the Unicode standard."""
    return tuple(Thing(**{**entry, "keywords": tuple(entry["keywords"])}) for entry in _index()["things"])


@cache
def families() -> dict[str, Family]:
    """All families by name."""
    found = [Family(**{**entry, "things": tuple(entry["things"])}) for entry in _index()["families"]]
    return {family.name: family for family in found}


@cache
def _index() -> dict:
    return json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))
