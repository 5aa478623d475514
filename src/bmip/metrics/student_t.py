"""Student's distribution for whole degrees of freedom."""

from __future__ import annotations

import math
from functools import cache


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


def student_p(t: float, freedom: int) -> float:
    """The share of Student's distribution that is not between -t and t, for a t of at least 0: a two-sided p value.

    >>> round(student_p(4.303, 2), 3)
    0.05
    """
    if freedom < 1 or t < 0:
        raise ValueError(f"t is {t} with {freedom} degrees of freedom: at least 0 and at least 1 are needed")
    return max(0.0, 1 - _within(t, freedom))


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
