"""Means over seeds with their 95 % CI."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bmip.metrics.student_t import student_t


@dataclass(frozen=True)
class Summary:
    """A mean over seeds with its 95 % CI."""

    mean: float
    margin: float | None
    """Half the width of the 95 % CI of the mean (Student's t); None for a single value."""

    count: int
    """The number of values."""


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
    return Summary(mean, student_t(count - 1) * math.sqrt(squared_error(values)), count)


def squared_error(values: Sequence[float]) -> float:
    """The square of the standard error of the mean of two or more values.

    >>> squared_error([80.0, 82.0, 84.0])  # variance 4, of 3 values
    1.3333333333333333
    """
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values)
