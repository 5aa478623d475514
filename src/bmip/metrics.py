"""Numbers that tables are made of, all in percent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


def accuracy(correct: int, total: int) -> float:
    """Percent."""
    if not 0 <= correct <= total or total == 0:
        raise ValueError(f"{correct} of {total} correct is no accuracy: at least one image must have been judged")
    return 100 * correct / total


def harmonic_mean(base: float, novel: float) -> float:
    """The balance of base and novel accuracy, both in percent; 0 when either is 0. (CoCoOp, table 1)"""
    if base < 0 or novel < 0:
        raise ValueError(f"accuracies are at least 0; these are {base} and {novel}")
    return 0.0 if base == 0 or novel == 0 else 2 * base * novel / (base + novel)


@dataclass(frozen=True)
class Summary:
    """A mean over seeds."""

    mean: float
    margin: float | None
    """Half the width of the 95 % interval of the mean (Student's t); None with one value, which tells nothing of it."""

    count: int


def summarise(values: Sequence[float]) -> Summary:
    """Mean and 95 % interval of independent results, one per seed."""
    count = len(values)
    if count == 0:
        raise ValueError("there are no results to summarise: give at least one")
    mean = math.fsum(values) / count
    if count == 1:
        return Summary(mean, None, 1)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))
    return Summary(mean, student_t(count - 1) * deviation / math.sqrt(count), count)


def student_t(freedom: int) -> float:
    """The t that 95 % of Student's distribution lie within, with `freedom` degrees of freedom."""
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
