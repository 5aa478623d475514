"""Where things stand in a 48-pixel image: alone, as copies of one another, or two side by side."""

import numpy as np
from jaxtyping import Bool, Float, Int64

from bmip.embedded.world.scene import MOST

Copies = Float[np.ndarray, "image copy"]
Placed = tuple[Copies, Copies, Copies]
"""Centres and radii in pixels: x, y, radius."""

MIDDLE = 24.0
_ASIDE = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)], dtype=np.float64)  # in the order of POSITIONS
RELATIONS: tuple[str, ...] = ("left", "right", "above", "below")
RELATION_STEPS = _ASIDE[1:]

_PATTERNS: dict[int, list[tuple[float, float]]] = {
    1: [(0, 0)],
    2: [(-11, 0), (11, 0)],
    3: [(0, -10), (-12, 9), (12, 9)],
    4: [(-11, -11), (11, -11), (-11, 11), (11, 11)],
    5: [(-14, -14), (14, -14), (0, 0), (-14, 14), (14, 14)],
}
_PATTERN_RADIUS = {1: 21.0, 2: 10.0, 3: 9.5, 4: 9.5, 5: 8.2}
_CELLS = np.array([(x, y) for y in (-15.5, 0, 15.5) for x in (-15.5, 0, 15.5)])


def place_alone(
    rng: np.random.Generator,
    count: int,
    radius: tuple[float, float],
    aside_rate: float,
    *,
    large: Bool[np.ndarray, " image"],
) -> Placed:
    """One thing per image, in the middle or off to one side; `large` ones may fill the image."""
    low, high = radius
    size = rng.uniform(low, high, count) * np.where(large, 1.2, 1.0)
    aside = rng.random(count) < aside_rate
    side = np.where(aside, rng.integers(1, len(_ASIDE), count), 0)
    size = np.where(aside, np.minimum(size, rng.uniform(8, 12.5, count)), size)
    room = (25.5 - size).clip(0, None)
    jitter = rng.uniform(-1, 1, (count, 2)) * np.where(aside, 1.5, (room * 0.4).clip(0, 3.0))[:, None]
    step = (room - 2.0).clip(0, 12.5)[:, None]
    centre = MIDDLE + _ASIDE[side] * step + jitter
    return _spread(centre[:, 0]), _spread(centre[:, 1]), _spread(size)


def position_of(x: Float[np.ndarray, " image"], y: Float[np.ndarray, " image"]) -> Int64[np.ndarray, " image"]:
    """Which of POSITIONS a single thing's centre is at."""
    offset = np.stack([x, y], axis=1) - MIDDLE
    furthest = np.abs(offset).argmax(axis=1)
    signed = np.take_along_axis(offset, furthest[:, None], axis=1)[:, 0]
    return np.where(np.abs(signed) < 6, 0, 1 + 2 * furthest + (signed > 0)).astype(np.int64)


def place_copies(rng: np.random.Generator, copies: Int64[np.ndarray, " image"], *alone: Copies) -> Placed:
    """Images with several copies spread over a pattern or over cells picked by lot; the others keep their place."""
    x, y, radius = (value.copy() for value in alone)
    count = len(copies)
    shuffled = np.argsort(rng.random((count, len(_CELLS))), axis=1)[:, :MOST]
    scattered = rng.random(count) < 0.5
    jitter = rng.uniform(-1, 1, (count, MOST, 2))
    size, spread = rng.uniform(0.72, 1.0, count), rng.uniform(0.9, 1.0, (count, MOST))
    flat = rng.random(count) < 0.5
    for number in range(2, MOST + 1):
        rows = np.nonzero(copies == number)[0]
        pattern = np.zeros((MOST, 2))
        pattern[:number] = _PATTERNS[number]
        places = np.repeat(pattern[None], len(rows), axis=0)
        if number == 2:
            places = np.where(flat[rows, None, None], places, places[:, :, ::-1])
        places = np.where(scattered[rows, None, None], _CELLS[shuffled[rows]], places)
        places = MIDDLE + places + 0.9 * jitter[rows]
        reach = np.where(scattered[rows], 7.6, _PATTERN_RADIUS[number]) * size[rows]
        x[rows], y[rows] = places[..., 0], places[..., 1]
        radius[rows] = reach[:, None] * spread[rows]
    return x, y, radius


def place_pair(
    rng: np.random.Generator, paired: Bool[np.ndarray, " image"], *alone: Copies
) -> tuple[Int64[np.ndarray, " image"], Placed, Placed]:
    """Move the main thing aside where there is another one; which side it is on (-1 without), and both places."""
    count = len(paired)
    x, y, radius = (value.copy() for value in alone)
    relation = rng.integers(0, len(RELATIONS), count)
    step = RELATION_STEPS[relation] * 11.5
    slide = rng.uniform(-4, 4, (2, count))  # along the direction that does not matter
    jitter = rng.uniform(-1, 1, (2, count, 2))
    sizes = rng.uniform(8, 11.5, (2, count))
    sizes[1] *= rng.uniform(0.75, 1.0, count)
    main = MIDDLE + step + jitter[0] + slide[0][:, None] * (step == 0)
    other = MIDDLE - step + jitter[1] + slide[1][:, None] * (step == 0)
    where = paired[:, None]
    moved = (
        np.where(where, _spread(main[:, 0]), x),
        np.where(where, _spread(main[:, 1]), y),
        np.where(where, _spread(sizes[0]), radius),
    )
    beside = _spread(other[:, 0]), _spread(other[:, 1]), _spread(sizes[1])
    return np.where(paired, relation, -1), moved, beside


def _spread(values: Float[np.ndarray, " image"]) -> Copies:
    """The same value for every copy."""
    return np.repeat(values[:, None], MOST, axis=1)
