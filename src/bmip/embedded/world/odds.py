"""Odds of what a scene shows, and the dice."""

from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Int64

from bmip.embedded.pictures.surfaces import picture_tiles
from bmip.embedded.world.vocabulary import COLOURS, HELD_OUT_TEXTURES, SHAPES, TEXTURES, THINGS, seen_things

Draws = Int64[np.ndarray, " image"]
Odds = Float[np.ndarray, "image option"] | Float[np.ndarray, " option"] | Bool[np.ndarray, "image option"]

RGB = np.array(list(COLOURS.values()), dtype=np.float64) / 255
BLACK, WHITE = list(COLOURS).index("black"), list(COLOURS).index("white")


def choose(rng: np.random.Generator, odds: Odds, count: int) -> Draws:
    """One option per image, by odds that need not add up to 1."""
    cumulative = np.cumsum(np.broadcast_to(np.asarray(odds, dtype=np.float64), (count, np.shape(odds)[-1])), axis=1)
    if count and cumulative[:, -1].min() <= 0:
        raise ValueError("an image has no option left with odds above 0: the plan's constraints contradict each other")
    draws = rng.random((count, 1)) * cumulative[:, -1:]
    return (draws >= cumulative).sum(axis=1).clip(max=cumulative.shape[1] - 1)


def luma(colour: Draws) -> Float[np.ndarray, " image"]:
    return (RGB[colour] * (0.3, 0.59, 0.11)).sum(axis=1)


@cache
def contrasts() -> Float[np.ndarray, "colour background"]:
    """Distances of each colour to the walls in each colour, then to the pictures' mean colours."""
    means = picture_tiles().mean(dim=(2, 3)).double().numpy()
    return np.linalg.norm(RGB[:, None] - np.concatenate([RGB, means])[None], axis=2)


@cache
def usual_colours(neutral: float) -> Float[np.ndarray, " colour"]:
    """Frequent colours first; `neutral` multiplies black and white."""
    odds = 1 / (np.arange(len(COLOURS)) + 4.0) ** 0.6
    odds[[BLACK, WHITE]] *= neutral
    return odds


def texture_odds(*, unseen: bool) -> Float[np.ndarray, " texture"]:
    held_out = np.array([name in HELD_OUT_TEXTURES for name in TEXTURES[1:]])
    return np.where(held_out & (not unseen), 0.0, 1 / (np.arange(len(TEXTURES) - 1) + 6.0) ** 0.5)


def thing_odds(*, unseen: bool) -> tuple[Float[np.ndarray, " thing"], Float[np.ndarray, " thing"]]:
    """For shapes and for glyphs, frequent ones first."""
    is_shape = np.arange(len(THINGS)) < len(SHAPES)
    rank = np.where(is_shape, np.arange(len(THINGS)), np.arange(len(THINGS)) - len(SHAPES))
    odds = 1 / (rank + 20.0) ** 0.6 * (unseen | seen_things().numpy())
    return odds * is_shape, odds * ~is_shape
