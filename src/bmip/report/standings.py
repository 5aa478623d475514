"""What all data sets and seeds of a table say of a line together, with intervals by the stratified bootstrap.

A data set is a stratum. Where data seeds were run with several initialisation seeds, the mean of each data seed is one
run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bmip.metrics import (
    bootstrap,
    interquartile_mean,
    mean_score,
    median_score,
    performance_profile,
    probability_of_improvement,
)
from bmip.metrics.bootstrap import Strata
from bmip.report.columns import Balance, Column
from bmip.report.labels import Variant
from bmip.report.pairs import Pair
from bmip.report.places import Place
from bmip.report.seeds import Seeds, by_data_seed
from bmip.report.table_data import TableData


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % CI."""

    value: float
    bounds: tuple[float, float] | None
    """None where a trained method has one seed only on a data set, and where no seed matters."""


@dataclass(frozen=True)
class Standing:
    """A line over all data sets and seeds."""

    line: Variant
    mean: Estimate
    median: Estimate
    interquartile_mean: Estimate


@dataclass(frozen=True, eq=False)
class Profile:
    """The percent of a line's runs that are above each threshold."""

    line: Variant
    shares: Float[np.ndarray, " threshold"]
    bounds: Float[np.ndarray, "2 threshold"] | None
    """The 95 % CI; None as in `Estimate`."""


def standings(data: TableData, column: Column | Balance) -> list[Standing]:
    """Every line that has all cells of the column that any line has."""
    found = []
    for one, strata in _complete(data, column).items():
        varies = _varies(data, column, one, strata)
        mean, median, quartiles = (
            Estimate(float(of(strata)), _bounds(bootstrap(of, strata)) if varies else None)
            for of in (mean_score, median_score, interquartile_mean)
        )
        found.append(Standing(one, mean, median, quartiles))
    return found


def profiles(data: TableData, column: Column | Balance, thresholds: Float[np.ndarray, " threshold"]) -> list[Profile]:
    """The performance profile of every line that has all cells of the column that any line has."""
    found = []
    for one, strata in _complete(data, column).items():
        varies = _varies(data, column, one, strata)
        bounds = bootstrap(lambda drawn: performance_profile(drawn, thresholds), strata) if varies else None
        found.append(Profile(one, performance_profile(strata, thresholds), bounds))
    return found


def improvement(data: TableData, column: Column | Balance, found: Pair) -> Estimate:
    """The probability in percent that the first line of a pair is better than the second, over the cells of both."""
    sign = -1.0 if column.lower_is_better else 1.0
    sides = [[sign * own for own in _strata(data, column, one, found.cells)] for one in (found.first, found.second)]
    seedless = data.numbers[column.heading].seedless
    trained = [side for one, side in zip((found.first, found.second), sides, strict=True) if one not in seedless]
    varies = bool(trained) and all(len(own) > 1 for side in trained for own in side)
    bounds = _bounds(bootstrap(probability_of_improvement, *sides)) if varies else None
    return Estimate(float(probability_of_improvement(*sides)), bounds)


def _complete(data: TableData, column: Column | Balance) -> dict[Variant, Strata]:
    """The results of each line that lacks no cell, by data set."""
    numbers = data.numbers[column.heading]
    whole = [one for one in data.labels if not numbers.lacking(one, data.averaged)]
    cells = {one: {place: list(numbers.of(one, place)) for place in data.averaged} for one in whole}
    return {one: _strata(data, column, one, own) for one, own in cells.items()}


def _strata(data: TableData, column: Column | Balance, one: Variant, cells: Mapping[Place, Sequence[Seeds]]) -> Strata:
    numbers = data.numbers[column.heading]
    each = ({seeds: numbers.of(one, place)[seeds] for seeds in own} for place, own in cells.items())
    return [np.array(by_data_seed(own)) for own in each]


def _varies(data: TableData, column: Column | Balance, one: Variant, strata: Strata) -> bool:
    return one not in data.numbers[column.heading].seedless and all(len(own) > 1 for own in strata)


def _bounds(found: Float[np.ndarray, " bound"]) -> tuple[float, float]:
    low, high = found.tolist()
    return low, high
