"""Signed distances on one fixed grid: negative inside, positive outside, in units of the shape's radius; y points down.

Unions are exact outside and cuts inside, which is all that outlines, shadows and glows a few pixels wide need.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float

RESOLUTION = 64
"""Points of the grid along each side."""
EXTENT = 1.25
"""The grid spans [-EXTENT, EXTENT]; shapes stay within radius 1, so that the border lies outside every shape."""

Field = Float[np.ndarray, "height width"]
Real = int | float
Points = Sequence[tuple[Real, Real] | Float[np.ndarray, "2"]] | Float[np.ndarray, "_ 2"]

_STEPS = (np.arange(RESOLUTION) + 0.5) / RESOLUTION * 2 * EXTENT - EXTENT
X, Y = np.meshgrid(_STEPS, _STEPS, indexing="xy")


def ellipse(x: Real, y: Real, rx: Real, ry: Real | None = None, *, turn: Real = 0) -> Field:
    """An ellipse turned clockwise by `turn` degrees; for a circle leave out `ry`. Approximate off the axes."""
    ry = rx if ry is None else ry
    angle = np.radians(turn)
    u = (X - x) * np.cos(angle) + (Y - y) * np.sin(angle)
    v = (Y - y) * np.cos(angle) - (X - x) * np.sin(angle)
    scaled = np.hypot(u / rx, v / ry)
    slope = np.hypot(u / rx**2, v / ry**2)
    return np.where(slope < 1e-6, -min(rx, ry), scaled * (scaled - 1) / np.maximum(slope, 1e-6))


def polygon(points: Points) -> Field:
    """A closed polygon, convex or not."""
    corners = np.asarray(points, dtype=float)
    nearest = np.full(X.shape, np.inf)
    inside = np.zeros(X.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        nearest = np.minimum(nearest, _to_segment(x0, y0, x1, y1))
        if y0 != y1:
            crosses = ((y0 > Y) != (y1 > Y)) & ((x1 - x0) * (Y - y0) / (y1 - y0) + x0 > X)
            inside ^= crosses
    return np.where(inside, -nearest, nearest)


def box(left: Real, top: Real, right: Real, bottom: Real) -> Field:
    return polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def stroke(points: Points, half_width: Real) -> Field:
    """A pen line with round ends through the points."""
    path = np.asarray(points, dtype=float)
    nearest = np.full(X.shape, np.inf)
    for (x0, y0), (x1, y1) in pairwise(path):
        nearest = np.minimum(nearest, _to_segment(x0, y0, x1, y1))
    return nearest - half_width


def arc(x: Real, y: Real, rx: Real, ry: Real, start: Real, stop: Real) -> Float[np.ndarray, "point 2"]:
    """Points of an elliptic arc; degrees run clockwise on the screen from the right-hand side."""
    angles = np.radians(np.linspace(start, stop, max(3, int(abs(stop - start) / 12) + 1)))
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def union(*fields: Field) -> Field:
    return np.minimum.reduce(fields)


def meet(*fields: Field) -> Field:
    return np.maximum.reduce(fields)


def cut(field: Field, *holes: Field) -> Field:
    return np.maximum(field, -np.minimum.reduce(holes))


def regular(corners: int, *, radius: Real = 1.0, turn: Real = 0) -> Float[np.ndarray, "point 2"]:
    """Corners of a regular polygon, the first one on top."""
    angles = np.radians(turn - 90) + 2 * np.pi * np.arange(corners) / corners
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def star(points: int, inner: Real, *, turn: Real = 0) -> Float[np.ndarray, "point 2"]:
    """Corners of a star whose inward corners lie at radius `inner`."""
    outer, hollow = regular(points, turn=turn), regular(points, radius=inner, turn=turn + 180 / points)
    return np.stack([outer, hollow], axis=1).reshape(-1, 2)


def mirror(points: Points) -> list[tuple[Real, Real]]:
    """The right half of an outline, top to bottom, completed by its mirror image."""
    half: list[tuple[Real, Real]] = [(float(x), float(y)) for x, y in points]
    return half + [(-x, y) for x, y in reversed(half)]


def _to_segment(x0: Real, y0: Real, x1: Real, y1: Real) -> Field:
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((X - x0) * dx + (Y - y0) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    return np.hypot(X - x0 - along * dx, Y - y0 - along * dy)
