"""Statistics over seeds: means with 95 % CI, and paired comparisons of two methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

ROUNDING = 1e-9
"""Differences of percentages that vary by less than this count as equal."""


@dataclass(frozen=True)
class Summary:
    """A mean over seeds with its 95 % CI."""

    mean: float
    margin: float | None
    """Half the width of the 95 % CI of the mean (Student's t); None for a single value."""

    count: int
    """The number of values."""


@dataclass(frozen=True)
class Comparison:
    """The difference of two methods over the same seeds."""

    difference: Summary
    """The first method's results minus the second's."""

    p: float | None
    """The p value of a two-sided paired t test; None if the differences do not vary."""


def summarise(values: Sequence[float]) -> Summary:
    """Mean and 95 % CI of independent results, one per seed.

    >>> found = summarise([80.0, 82.0, 84.0])
    >>> found.mean, round(found.margin, 2)  # 4.303 * 2 / sqrt(3)
    (82.0, 4.97)
    """
    count = len(values)
    if count == 0:
        raise ValueError("there are no results to summarise: give at least one")
    if not all(map(math.isfinite, values)):
        raise ValueError(f"the results {', '.join(map(str, values))} are not all finite: nothing can be said of them")
    mean = math.fsum(values) / count
    if count == 1:
        return Summary(mean, None, 1)
    return Summary(mean, student_t(count - 1) * _error(values), count)


def compare(first: Sequence[float], second: Sequence[float]) -> Comparison:
    """Compares two methods pair by pair; both have one result per seed, in the same order.

    >>> found = compare([81.0, 85.0, 83.0], [80.0, 82.0, 81.0])
    >>> found.difference.mean, round(found.p, 4)
    (2.0, 0.0742)
    """
    differences = [one - other for one, other in zip(first, second, strict=True)]
    difference = summarise(differences)
    if max(differences) - min(differences) < ROUNDING:
        return Comparison(difference, None)
    t = abs(difference.mean) / _error(differences)
    return Comparison(difference, max(0.0, 1 - _within(t, len(differences) - 1)))


def _error(values: Sequence[float]) -> float:
    """Standard error of the mean."""
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))


@cache
def student_t(freedom: int) -> float:
    """The t with 95 % of Student's distribution between -t and t, for `freedom` degrees of freedom.

    >>> round(student_t(2), 3)
    4.303
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom: at least 1 is needed")
    low, high = 0.0, 16.0  # 12.71 with one degree of freedom
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)
    return low


def _within(t: float, freedom: int) -> float:
    """Probability between -t and t, by the finite series for whole degrees. (Abramowitz and Stegun, 26.7.3-4)"""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(odd + 2, freedom + 1, 2):
        total += term
        term *= cosine**2 * (k - 1) / k
    return (angle + sine * total) * 2 / math.pi if odd else sine * total
