"""Paired comparisons of two methods over data sets and seeds, and the correction for making many of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bmip.metrics.seeds import Summary, squared_error, summarise
from bmip.metrics.student_t import student_p, student_t

ROUNDING = 1e-9
"""Differences of percentages that vary by less than this count as equal."""


@dataclass(frozen=True)
class Comparison:
    """The difference of two methods over the same data sets and seeds."""

    difference: Summary
    """The first method's results minus the second's; its count is that of the pairs. It has no 95 % CI where a data set
    has one pair only."""

    p: float | None
    """The p value of the two-sided paired t test; None without a CI, and where the differences do not vary."""

    @property
    def is_clear(self) -> bool:
        """Whether the 95 % CI excludes zero. Differences that do not vary, which no test can judge, are not clear."""
        margin = self.difference.margin
        return self.p is not None and margin is not None and abs(self.difference.mean) > margin


def compare(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> Comparison:
    """Compares two methods pair by pair. Both have the results of each data set, one per seed, in the same order.

    The difference is the mean over the data sets of their mean differences. Its error follows from how the differences
    of each data set vary between seeds, so it says what other seeds would give on these data sets, and nothing of other
    data sets. The degrees of freedom are those of Welch and Satterthwaite, rounded down; with one data set this is the
    usual paired t test.

    Raises ValueError where the two do not have the same data sets and seeds.

    >>> found = compare([[81.0, 85.0, 83.0]], [[80.0, 82.0, 81.0]])
    >>> found.difference.mean, round(found.p, 4)
    (2.0, 0.0742)
    """
    if not first or list(map(len, first)) != list(map(len, second)):
        sizes = " and ".join(str(list(map(len, side))) for side in (first, second))
        raise ValueError(f"the two have {sizes} results: give both one for each seed of at least one data set")
    differences = [[one - other for one, other in zip(*own, strict=True)] for own in zip(first, second, strict=True)]
    means = [summarise(own).mean for own in differences]
    mean, count = math.fsum(means) / len(means), sum(map(len, differences))
    if min(map(len, differences)) < 2:
        return Comparison(Summary(mean, None, count), None)
    errors = [(squared_error(own), len(own) - 1) for own in differences if max(own) - min(own) >= ROUNDING]
    if not errors:
        return Comparison(Summary(mean, 0.0, count), None)
    squared = math.fsum(error for error, _ in errors)
    freedom = int(squared**2 / math.fsum(error**2 / own for error, own in errors) + ROUNDING)
    error = math.sqrt(squared) / len(means)
    return Comparison(Summary(mean, student_t(freedom) * error, count), student_p(abs(mean) / error, freedom))


def holm(values: Sequence[float]) -> list[float]:
    """The p values of several tests, corrected by Holm so that they may be read together, in the same order.

    Where no method differs from another, the chance that any corrected value is below 0.05 is at most 5 %. (Holm 1979)

    >>> holm([0.01, 0.04, 0.03])  # 0.03 * 2 is the largest up to there
    [0.03, 0.06, 0.06]
    """
    if not all(0 <= value <= 1 for value in values):
        raise ValueError(f"{', '.join(map(str, values))} are not all p values: give numbers from 0 to 1")
    found, largest = [0.0] * len(values), 0.0
    for rank, position in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, values[position] * (len(values) - rank)))
        found[position] = largest
    return found
