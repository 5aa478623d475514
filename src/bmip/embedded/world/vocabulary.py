"""What there is in the world, in fixed order, and which parts of it pre-training never shows or names."""

from functools import cache

import torch
from jaxtyping import Bool
from torch import Tensor

from bmip.embedded.pictures.surfaces import PICTURES
from bmip.embedded.pictures.surfaces import TEXTURES as _TEXTURE_TILES
from bmip.embedded.world.shapes import DRAWINGS

SHAPES: tuple[str, ...] = tuple(DRAWINGS)
DIGITS: tuple[str, ...] = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LETTERS: tuple[str, ...] = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
GLYPHS: tuple[str, ...] = (*(f"digit {name}" for name in DIGITS), *(f"letter {name}" for name in LETTERS))
THINGS: tuple[str, ...] = SHAPES + GLYPHS
"""Everything that can be drawn on a background; glyphs follow the shapes."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (222, 34, 38),
    "blue": (34, 76, 226),
    "green": (30, 148, 52),
    "yellow": (248, 222, 40),
    "orange": (250, 138, 24),
    "purple": (124, 44, 168),
    "pink": (255, 158, 190),
    "brown": (122, 72, 34),
    "cyan": (40, 208, 238),
    "lime": (158, 228, 36),
    "navy": (16, 26, 98),
    "teal": (16, 128, 132),
    "magenta": (226, 30, 190),
    "gray": (130, 130, 134),
    "black": (20, 20, 22),
    "white": (248, 248, 246),
}
TEXTURES: tuple[str, ...] = tuple(_TEXTURE_TILES)
BACKGROUNDS: tuple[str, ...] = ("plain", *PICTURES)
STYLES: tuple[str, ...] = (
    "photo",
    "cartoon",
    "painting",
    "silhouette",
    "mosaic",
    "negative",
    "sketch",
    "neon",
)
POSITIONS: tuple[str, ...] = ("centre", "left", "right", "top", "bottom")
SIZES: tuple[str, ...] = ("small", "medium", "large")
CORRUPTIONS: tuple[str, ...] = ("none", "noisy", "blurry", "dark", "faint", "pixelated")

HELD_OUT_SHAPES: tuple[str, ...] = ("cactus", "clover", "fork", "glasses", "ladder", "rabbit", "snake")
HELD_OUT_TEXTURES: tuple[str, ...] = ("floral", "tartan", "swirly")
HELD_OUT_STYLES: tuple[str, ...] = ("sketch", "neon")
"""Pre-training never draws or names these. Neither does it show a texture without an object to fill, nor one object
inside another: such arrangements are left to the data sets."""

NEUTRAL_COLOURS: tuple[str, ...] = ("black", "white")
"""Never held out, since silhouettes are black and any texture may have one of them as its second colour."""


@cache
def seen_colours() -> Bool[Tensor, "thing colour"]:
    """Which colours a thing may have in pre-training: one pair in six of the others never occurs."""
    things, colours = torch.arange(len(THINGS))[:, None], torch.arange(len(COLOURS))[None]
    neutral = torch.tensor([name in NEUTRAL_COLOURS for name in COLOURS])
    return ((colours + 5 * things) % 6 != 0) | neutral


@cache
def seen_textures() -> Bool[Tensor, "thing texture"]:
    """Which textures a thing may be filled with in pre-training: one pair in five never, some textures never."""
    things, textures = torch.arange(len(THINGS))[:, None], torch.arange(len(TEXTURES))[None]
    allowed = ((textures + 2 * things) % 5 != 0) | (textures == 0)
    return allowed & torch.tensor([name not in HELD_OUT_TEXTURES for name in TEXTURES])


def seen_things() -> Bool[Tensor, " thing"]:
    """Which things occur in pre-training at all."""
    return torch.tensor([name not in HELD_OUT_SHAPES for name in THINGS])
