"""Seamless 64 x 64 tiles for backgrounds: textures as shares of a second colour, pictures such as grass, and grain."""

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

TILE = 64

Mask = Float[np.ndarray, "height width"]

_STEPS = np.arange(TILE) + 0.5
X, Y = np.meshgrid(_STEPS, _STEPS, indexing="xy")


def smooth_noise(seed: int, *, slope: int | float = 1.5, stretch: tuple[float, float] = (1.0, 1.0)) -> Mask:
    """Seamless noise of mean 0 and deviation 1 that fades with frequency; `stretch` draws it out along x, y."""
    white = np.fft.fft2(np.random.default_rng(seed).standard_normal((TILE, TILE)))
    fy, fx = np.meshgrid(np.fft.fftfreq(TILE) * TILE, np.fft.fftfreq(TILE) * TILE, indexing="ij")
    frequency = np.hypot(fx * stretch[0], fy * stretch[1])
    shaped = np.real(np.fft.ifft2(white / np.maximum(frequency, 1.0) ** slope * (frequency > 0)))
    return shaped / shaped.std()


def _edge(value: Mask, sharpness: int | float = 2) -> Mask:
    """A soft step: 1 where the value is positive."""
    return np.clip(value * sharpness + 0.5, 0, 1)


def _wave(value: Mask, period: int | float) -> Mask:
    return np.sin(2 * np.pi * value / period)


def _cells(columns: int, seed: int | None = None) -> tuple[Mask, Mask]:
    """Distances to the nearest and the second nearest of `columns`² scattered points, in pixels."""
    step = TILE / columns
    ys, xs = np.meshgrid(np.arange(columns), np.arange(columns), indexing="ij")
    points = np.stack([xs, ys], axis=-1).reshape(-1, 2) * step + step / 2
    if seed is None:
        points[:, 0] += (ys.reshape(-1) % 2) * step / 2
    else:
        points += np.random.default_rng(seed).uniform(-0.42, 0.42, points.shape) * step
    dx = np.abs(X[..., None] - points[:, 0])
    dy = np.abs(Y[..., None] - points[:, 1])
    distances = np.sort(np.hypot(np.minimum(dx, TILE - dx), np.minimum(dy, TILE - dy)), axis=-1)
    return distances[..., 0], distances[..., 1]


def _bricks(width: int, height: int, gap: float) -> Mask:
    row = np.floor(Y / height)
    along, across = (X + row % 2 * width / 2) % width, Y % height
    return _edge(np.minimum.reduce([along, width - along, across, height - across]) - gap / 2, 1.5)


def _zigzag() -> Mask:
    return _edge(_wave(Y + np.abs(X % 16 - 8) * 1.0, 16) * 3)


def _rings() -> Mask:
    return _edge(_wave(np.hypot(X % 32 - 16, Y % 32 - 16), 8) * 2.5)


def _stars() -> Mask:
    dx, dy = (X + np.floor(Y / 16) % 2 * 8) % 16 - 8, Y % 16 - 8
    angle, radius = np.arctan2(dy, dx), np.hypot(dx, dy)
    return _edge(4.2 + 2.0 * np.cos(5 * angle + np.pi / 2) - radius, 1.0)


def _weave() -> Mask:
    over = (np.floor(X / 8) + np.floor(Y / 8)) % 2
    along = np.where(over > 0, X, Y) % 8
    return np.where(over > 0, 0.15, 0.85) * _edge(np.minimum(along, 8 - along) - 0.7, 1.0)


def _scales() -> Mask:
    result = np.zeros_like(X)
    for row in reversed(range(-2, 9)):  # upper scales cover lower ones
        radius = np.hypot((X + row % 2 * 8) % 16 - 8, Y - row * 8)
        result = np.where((radius < 9) & (row * 8 <= Y), _edge(radius - 7.2, 1.2), result)
    return result


def _flowers() -> Mask:
    dx, dy = (X + np.floor(Y / 16) % 2 * 8) % 16 - 8, Y % 16 - 8
    angle, radius = np.arctan2(dy, dx), np.hypot(dx, dy)
    return _edge(4.6 + 1.9 * np.cos(5 * angle) - radius, 1.0) * _edge(radius - 1.8, 1.0)


def _tartan() -> Mask:
    return 0.5 * _edge(_wave(X, 16) * 3) + 0.35 * _edge(_wave(Y, 16) * 3) + 0.15 * _edge(X % 16 - 14, 2)


def _swirls() -> Mask:
    dx, dy = X % 32 - 16, Y % 32 - 16
    return _edge(np.sin(np.hypot(dx, dy) * 0.75 - 2 * np.arctan2(dy, dx)) * 2)


TEXTURES: dict[str, Callable[[], Mask]] = {
    "plain": lambda: np.zeros_like(X),
    "striped": lambda: _edge(_wave(Y, 12.8) * 3),
    "dotted": lambda: _edge(3.6 - _cells(6)[0], 1.0),
    "checkered": lambda: _edge(_wave(X, 16) * _wave(Y, 16) * 8),
    "zigzag": _zigzag,
    "wavy": lambda: _edge(_wave(Y + 2.6 * _wave(X, 16), 64 / 6) * 3),
    "brick": lambda: 1 - _bricks(16, 8, 2.2),
    "grid": lambda: 1 - _edge(np.minimum(X % 10.667, Y % 10.667) - 2.2, 1.5),
    "lattice": lambda: 1 - _edge(np.minimum((X + Y) % 12.8, (X - Y) % 12.8) - 2.6, 1.2),
    "woven": _weave,
    "marbled": lambda: _edge(_wave(X + Y + 7 * smooth_noise(11, slope=1.8), 32) - 0.1, 1.3),
    "speckled": lambda: _edge(smooth_noise(12, slope=0.3) - 0.75, 1.6),
    "ringed": _rings,
    "scaly": _scales,
    "honeycomb": lambda: _edge(1.7 - (_cells(6)[1] - _cells(6)[0]), 1.0),
    "starry": _stars,
    "camouflage": lambda: _edge(smooth_noise(13, slope=1.7) * 3, 1.5),
    "cracked": lambda: _edge(1.5 - (_cells(6, 14)[1] - _cells(6, 14)[0]), 1.0),
    "floral": _flowers,
    "tartan": _tartan,
    "swirly": _swirls,
}
"""Name -> tile of the second colour's share; `plain` first."""


def _tint(mask: Mask, low: tuple[int, int, int], high: tuple[int, int, int]) -> Float[np.ndarray, "3 height width"]:
    """A picture that runs from one colour to another as the mask runs from 0 to 1."""
    share = np.clip(mask, 0, 1)[None]
    return (1 - share) * np.array(low)[:, None, None] / 255 + share * np.array(high)[:, None, None] / 255


def _lava() -> Float[np.ndarray, "3 height width"]:
    first, second = _cells(4, 27)
    return _tint(np.clip(1 - (second - first) / 6, 0, 1) ** 1.5, (52, 12, 8), (255, 172, 40))


def _night() -> Float[np.ndarray, "3 height width"]:
    spots = np.random.default_rng(28).random((TILE, TILE)) > 0.985
    return _tint(spots * 0.9 + 0.08 * (smooth_noise(29) > 0.6), (12, 12, 46), (250, 246, 220))


def _notebook() -> Float[np.ndarray, "3 height width"]:
    return _tint(np.where(Y % 10.667 < 1.4, 0.0, 1.0), (120, 160, 230), (250, 250, 246))


def _carpet() -> Float[np.ndarray, "3 height width"]:
    diamond = np.abs(X % 21.333 - 10.667) + np.abs(Y % 21.333 - 10.667)
    return _tint(_edge(6 - diamond, 1) + 0.12 * smooth_noise(31, slope=0.2), (120, 20, 44), (214, 164, 84))


def _chessboard() -> Float[np.ndarray, "3 height width"]:
    return _tint(_edge(_wave(X, 32) * _wave(Y, 32) * 20), (52, 60, 72), (236, 234, 226))


def _wood() -> Float[np.ndarray, "3 height width"]:
    grain = _wave(X + 2.2 * smooth_noise(21, stretch=(1.0, 4.0)), 12.8)
    return _tint(
        0.5 + 0.3 * grain + 0.12 * smooth_noise(22, slope=0.6, stretch=(1.0, 6.0)), (110, 66, 34), (182, 122, 70)
    )


PICTURES: dict[str, Callable[[], Float[np.ndarray, "3 height width"]]] = {
    "grass": lambda: _tint(0.5 + 0.25 * smooth_noise(23, slope=0.7, stretch=(1.0, 3.0)), (36, 104, 26), (120, 190, 66)),
    "sky": lambda: _tint(0.35 + 0.4 * smooth_noise(24, slope=1.9), (86, 160, 236), (250, 252, 255)),
    "water": lambda: _tint(0.5 + 0.4 * _wave(Y + 2.0 * _wave(X, 32), 10.667), (24, 78, 160), (90, 160, 224)),
    "sand": lambda: _tint(
        0.5 + 0.2 * _wave(Y + 3 * smooth_noise(25, slope=2), 12.8) + 0.12 * smooth_noise(26, slope=0.1),
        (204, 168, 104),
        (246, 222, 168),
    ),
    "wood": _wood,
    "bricks": lambda: _tint(
        _bricks(21, 10, 2.4) * (0.85 + 0.15 * smooth_noise(33, slope=0.4)), (206, 196, 184), (170, 66, 46)
    ),
    "stone": lambda: _tint(
        0.5 + 0.2 * smooth_noise(34, slope=1.2) - 0.5 * (_cells(3, 35)[1] - _cells(3, 35)[0] < 2),
        (84, 84, 88),
        (184, 182, 178),
    ),
    "night": _night,
    "lava": _lava,
    "chessboard": _chessboard,
    "carpet": _carpet,
    "metal": lambda: _tint(
        0.5 + 0.22 * smooth_noise(36, slope=0.5, stretch=(12.0, 1.0)), (128, 132, 140), (212, 216, 222)
    ),
    "notebook": _notebook,
    "snow": lambda: _tint(0.72 + 0.2 * smooth_noise(37, slope=1.6), (186, 204, 226), (255, 255, 255)),
    "forest": lambda: _tint(
        0.35 + 0.3 * _wave(X + 1.5 * smooth_noise(38), 16) + 0.14 * smooth_noise(39, slope=0.6),
        (10, 30, 14),
        (52, 104, 50),
    ),
}
"""Name -> picture in 0..1."""


@cache
def texture_tiles() -> Float[Tensor, "texture 1 height width"]:
    return torch.from_numpy(np.stack([draw() for draw in TEXTURES.values()])[:, None]).float()


@cache
def picture_tiles() -> Float[Tensor, "picture 3 height width"]:
    return torch.from_numpy(np.stack([draw() for draw in PICTURES.values()])).float().clamp_(0, 1)


def grain(seed: int, like: Tensor) -> Tensor:
    """Bell-shaped noise of deviation 1, from integers so that every machine draws the same."""
    generator = torch.Generator().manual_seed(seed)
    draws = torch.randint(0, 256, (4, *like.shape), generator=generator, dtype=torch.int16)
    return (draws.sum(0, dtype=torch.int16).float() - 510) / 147.8
