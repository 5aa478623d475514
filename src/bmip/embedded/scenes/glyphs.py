"""Digits and capital letters, written in several ways each, with thin and thick pens, upright and slanted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bmip.embedded.pictures import SIDE, Thing

Real = int | float
Points = Sequence[tuple[Real, Real] | Float[np.ndarray, "2"]] | Float[np.ndarray, "_ 2"]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

GLYPHS: tuple[Thing, ...] = (
    *(
        Thing(f"digit {word}", (word, f"the number {word}", f"a handwritten {word}"), "digit", "writing")
        for word in DIGITS
    ),
    *(
        Thing(f"letter {sign}", (sign, f"a handwritten {sign}"), "letter", "writing")
        for sign in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ),
)
"""Digits and letters as things, in the order of `WRITINGS`."""

PENS = (0.09, 0.14, 0.2)
"""Half the width of the line; a glyph reaches from about -0.9 to 0.9."""

SLANTS = (-0.15, 0.05, 0.25)
"""How far the top moves to the right, as a share of the height."""


def arc(x: Real, y: Real, rx: Real, ry: Real, start: Real, stop: Real) -> Float[np.ndarray, "point 2"]:
    """Points of an elliptic arc; degrees run clockwise on the screen from the right-hand side."""
    angles = np.radians(np.linspace(start, stop, max(3, int(abs(stop - start) / 12) + 1)))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


Strokes = list[Points]

_BOWL = arc(0, 0, 0.5, 0.86, 0, 360)
_BAR: Points = [(-0.42, -0.85), (-0.42, 0.85)]


def _joined(*parts: Points) -> Points:
    return np.concatenate([np.asarray(part, dtype=float) for part in parts])


WRITINGS: dict[str, list[Strokes]] = {
    "0": [[_BOWL], [arc(0, 0, 0.38, 0.86, 0, 360)], [arc(0.05, 0, 0.45, 0.82, -75, 290)]],
    "1": [
        [[(-0.3, -0.5), (0.05, -0.85), (0.05, 0.85)]],
        [[(0, -0.88), (0, 0.88)]],
        [[(-0.28, -0.55), (0.02, -0.85), (0.02, 0.82)], [(-0.32, 0.82), (0.36, 0.82)]],
    ],
    "2": [
        [_joined(arc(0, -0.4, 0.46, 0.44, 190, 395), [(-0.48, 0.82), (0.52, 0.82)])],
        [_joined(arc(0, -0.45, 0.4, 0.4, 200, 400), arc(-0.28, 0.62, 0.16, 0.16, 10, 300), [(0.1, 0.75), (0.5, 0.7)])],
    ],
    "3": [
        [_joined(arc(-0.02, -0.43, 0.42, 0.41, 200, 450), arc(-0.02, 0.42, 0.48, 0.43, 270, 520))],
        [_joined([(-0.42, -0.84), (0.4, -0.84), (-0.02, -0.12)], arc(-0.04, 0.36, 0.48, 0.48, 275, 510))],
    ],
    "4": [
        [[(0.22, 0.86), (0.22, -0.86), (-0.52, 0.32), (0.54, 0.32)]],
        [[(-0.36, -0.84), (-0.46, 0.12), (0.46, 0.06)], [(0.26, -0.6), (0.18, 0.88)]],
    ],
    "5": [
        [_joined([(0.42, -0.83), (-0.36, -0.83), (-0.4, -0.08)], arc(-0.02, 0.32, 0.48, 0.51, 222, 510))],
        [
            _joined([(-0.3, -0.75), (-0.34, -0.1)], arc(-0.04, 0.36, 0.42, 0.46, 250, 500)),
            [(-0.3, -0.78), (0.46, -0.84)],
        ],
    ],
    "6": [
        [_joined(arc(0.3, 0.32, 0.76, 1.16, 265, 180), arc(0, 0.36, 0.46, 0.49, 185, 545))],
        [_joined([(0.1, -0.88), (-0.34, 0.1)], arc(-0.02, 0.42, 0.36, 0.42, 200, 540))],
    ],
    "7": [
        [[(-0.48, -0.83), (0.48, -0.83), (-0.12, 0.86)]],
        [[(-0.45, -0.78), (0.46, -0.83), (-0.1, 0.88)], [(-0.22, 0.02), (0.42, -0.04)]],
    ],
    "8": [
        [arc(0, -0.43, 0.37, 0.4, 0, 360), arc(0, 0.41, 0.46, 0.44, 0, 360)],
        [_joined(arc(0.02, -0.45, 0.34, 0.37, -30, -270), arc(0, 0.4, 0.38, 0.46, 270, 640), [(0.34, -0.62)])],
    ],
    "9": [
        [_joined(arc(0, -0.37, 0.45, 0.47, 360, 0), [(0.42, 0.0)], arc(-0.3, -0.32, 0.75, 1.16, 5, 85))],
        [_joined(arc(-0.02, -0.42, 0.38, 0.4, 350, 10), [(0.36, -0.6), (0.26, 0.88)])],
    ],
    "A": [
        [[(-0.58, 0.85), (0, -0.85), (0.58, 0.85)], [(-0.34, 0.25), (0.34, 0.25)]],
        [_joined([(-0.5, 0.85)], arc(0, -0.3, 0.46, 0.55, 180, 360), [(0.5, 0.85)]), [(-0.46, 0.15), (0.46, 0.15)]],
    ],
    "B": [
        [
            _BAR,
            _joined([(-0.42, -0.85)], arc(0.02, -0.43, 0.38, 0.42, 270, 450), [(-0.42, -0.01)]),
            _joined([(-0.42, -0.01)], arc(0.05, 0.42, 0.45, 0.43, 270, 450), [(-0.42, 0.85)]),
        ]
    ],
    "C": [[arc(0.08, 0, 0.56, 0.86, 310, 50)], [arc(0.12, 0, 0.5, 0.86, 290, 70)]],
    "D": [[_BAR, _joined([(-0.42, -0.85), (-0.1, -0.85)], arc(-0.1, 0, 0.6, 0.85, 270, 450), [(-0.42, 0.85)])]],
    "E": [[[(0.46, -0.85), (-0.42, -0.85), (-0.42, 0.85), (0.46, 0.85)], [(-0.42, 0), (0.32, 0)]]],
    "F": [[[(0.46, -0.85), (-0.42, -0.85), (-0.42, 0.85)], [(-0.42, -0.02), (0.3, -0.02)]]],
    "G": [[_joined(arc(0.04, 0, 0.56, 0.86, 305, 90), [(0.5, 0.7), (0.5, 0.08), (0.1, 0.08)])]],
    "H": [[_BAR, [(0.42, -0.85), (0.42, 0.85)], [(-0.42, 0), (0.42, 0)]]],
    "I": [[[(0, -0.85), (0, 0.85)], [(-0.34, -0.85), (0.34, -0.85)], [(-0.34, 0.85), (0.34, 0.85)]]],
    "J": [[_joined([(0.32, -0.85), (0.32, 0.4)], arc(-0.06, 0.42, 0.38, 0.43, 0, 170))]],
    "K": [[_BAR, [(0.48, -0.85), (-0.4, 0.12)], [(-0.12, -0.16), (0.52, 0.85)]]],
    "L": [[[(-0.4, -0.85), (-0.4, 0.83), (0.48, 0.83)]]],
    "M": [[[(-0.62, 0.85), (-0.58, -0.85), (0, 0.35), (0.58, -0.85), (0.62, 0.85)]]],
    "N": [[[(-0.48, 0.85), (-0.48, -0.85), (0.48, 0.85), (0.48, -0.85)]]],
    "O": [[arc(0, 0, 0.68, 0.84, 0, 360)], [arc(0, 0, 0.76, 0.8, 0, 360)]],
    "P": [[_BAR, _joined([(-0.42, -0.85)], arc(0.02, -0.38, 0.44, 0.47, 270, 450), [(-0.42, 0.09)])]],
    "Q": [[arc(0, -0.06, 0.66, 0.8, 0, 360), [(0.16, 0.38), (0.66, 0.9)]]],
    "R": [
        [
            _BAR,
            _joined([(-0.42, -0.85)], arc(0.02, -0.4, 0.42, 0.45, 270, 450), [(-0.42, 0.05)]),
            [(0.02, 0.05), (0.5, 0.85)],
        ]
    ],
    "S": [[_joined(arc(0, -0.42, 0.44, 0.44, 325, 90), arc(0, 0.44, 0.48, 0.42, 270, 510))]],
    "T": [[[(-0.56, -0.83), (0.56, -0.83)], [(0, -0.83), (0, 0.86)]]],
    "U": [[_joined([(-0.46, -0.85), (-0.46, 0.3)], arc(0, 0.35, 0.46, 0.5, 180, 0), [(0.46, 0.3), (0.46, -0.85)])]],
    "V": [[[(-0.56, -0.85), (0, 0.85), (0.56, -0.85)]]],
    "W": [[[(-0.76, -0.85), (-0.4, 0.82), (0, -0.4), (0.4, 0.82), (0.76, -0.85)]]],
    "X": [[[(-0.52, -0.85), (0.52, 0.85)], [(0.52, -0.85), (-0.52, 0.85)]]],
    "Y": [[[(-0.54, -0.85), (0, 0), (0.54, -0.85)], [(0, 0), (0, 0.86)]]],
    "Z": [
        [[(-0.5, -0.83), (0.5, -0.83), (-0.5, 0.83), (0.52, 0.83)]],
        [[(-0.5, -0.83), (0.5, -0.83), (-0.5, 0.83), (0.52, 0.83)], [(-0.28, 0), (0.28, 0)]],
    ],
}
"""Glyph -> ways of writing it, each a list of strokes."""


@cache
def written() -> tuple[UInt8[Tensor, "picture 4 48 48"], tuple[int, ...]]:
    """All writings of all glyphs in white, with opacity, and for each one the place of its glyph in `GLYPHS`."""
    pictures, glyph = [], []
    for number, ways in enumerate(WRITINGS.values()):
        for strokes in ways:
            for slant in SLANTS:
                away = np.minimum.reduce([_distance(_slanted(points, slant)) for points in strokes])
                pictures += [np.clip((pen - away) * SIDE / 2.4 + 0.5, 0, 1) for pen in PENS]
                glyph += [number] * len(PENS)
    opacity = torch.from_numpy(np.stack(pictures) * 255).round().to(torch.uint8)[:, None]
    return torch.cat([torch.full_like(opacity, 255).expand(-1, 3, -1, -1), opacity], dim=1), tuple(glyph)


def _slanted(points: Points, slant: Real) -> Float[np.ndarray, "_ 2"]:
    path = np.array(points, dtype=float)
    path[:, 0] -= slant * path[:, 1]
    return path


def _distance(path: Float[np.ndarray, "_ 2"]) -> Float[np.ndarray, "height width"]:
    """How far each pixel lies from the line through the points."""
    steps = (np.arange(SIDE) + 0.5) / SIDE * 2.4 - 1.2
    x, y = np.meshgrid(steps, steps, indexing="xy")
    nearest = np.full(x.shape, np.inf)
    for (x0, y0), (x1, y1) in pairwise(path):
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - x0 - along * dx, y - y0 - along * dy))
    return nearest
