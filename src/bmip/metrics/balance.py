"""The harmonic mean of base and novel accuracy, and the two ways to average it over data sets."""

from __future__ import annotations

import math
from collections.abc import Sequence


def harmonic_mean(base: float, novel: float) -> float:
    """The balance of base and novel accuracy, both in percent; 0 when either is 0. (CoCoOp, table 1)

    >>> harmonic_mean(60.0, 30.0)
    40.0
    """
    if not (0 <= base <= 100 and 0 <= novel <= 100):
        raise ValueError(f"accuracies are at least 0 and at most 100; these are {base} and {novel}")
    return 0.0 if base == 0 or novel == 0 else 2 * base * novel / (base + novel)


def harmonic_mean_of_averages(pairs: Sequence[tuple[float, float]]) -> float:
    """The harmonic mean of the average base and the average novel accuracy: the "average" of published tables.

    >>> harmonic_mean_of_averages([(100.0, 50.0), (50.0, 100.0)])
    75.0
    """
    base, novel = zip(*_some(pairs), strict=True)
    return harmonic_mean(math.fsum(base) / len(pairs), math.fsum(novel) / len(pairs))


def mean_of_harmonic_means(pairs: Sequence[tuple[float, float]]) -> float:
    """The average of the data sets' harmonic means; never more than `harmonic_mean_of_averages`.

    >>> round(mean_of_harmonic_means([(100.0, 50.0), (50.0, 100.0)]), 2)
    66.67
    """
    return math.fsum(harmonic_mean(*pair) for pair in _some(pairs)) / len(pairs)


def _some(pairs: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    if not pairs:
        raise ValueError("there are no pairs of accuracies to average: give at least one data set's")
    return pairs
