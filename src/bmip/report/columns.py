"""The columns of a table: the number of one run, and the mean and 95 % CI over seeds and data sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bmip.experiments.results import Row
from bmip.metrics import Summary, harmonic_mean, summarise
from bmip.report.seeds import Seeds, by_data_seed


@dataclass(frozen=True)
class Column:
    """A column that shows one number of each run as mean and 95 % CI."""

    heading: str
    of: Callable[[Row], float | None]
    """Returns the number of a row; None if the row lacks it."""

    def values(self, rows: Sequence[Row]) -> dict[Seeds, float]:
        """The number of each pair of seeds; rows that lack the number are left out."""
        found = [((row.trial.run.data_seed, row.trial.run.init_seed), self.of(row)) for row in rows]
        return {seeds: value for seeds, value in found if value is not None}


@dataclass(frozen=True)
class Balance:
    """A column that shows the harmonic mean of two columns before it; in an average, that of their two averages."""

    heading: str
    base: Column
    novel: Column

    def of(self, found: Mapping[str, Summary]) -> Summary | None:
        """The harmonic mean of a line, from its other numbers by heading; None if one of the two is missing."""
        if self.base.heading not in found or self.novel.heading not in found:
            return None
        means = found[self.base.heading].mean, found[self.novel.heading].mean
        return Summary(harmonic_mean(*means), None, 1)

    def values(self, rows: Sequence[Row]) -> dict[Seeds, float]:
        """The harmonic mean of each pair of seeds; rows that lack one of the numbers are left out."""
        base, novel = self.base.values(rows), self.novel.values(rows)
        return {seeds: harmonic_mean(base[seeds], novel[seeds]) for seeds in base if seeds in novel}


def counted(part: str, heading: str | None = None) -> Column:
    """A column of the accuracy on one part, in percent. Its heading is the name of the part if none is given."""
    return Column(heading or part, lambda row: row.counts[part].percent if part in row.counts else None)


def scored(name: str, heading: str) -> Column:
    """A column of one of the scores of a row."""
    return Column(heading, lambda row: row.scores.get(name))


def summary(column: Column, cells: Sequence[Sequence[Row]], drawn: bool = False) -> Summary | None:
    """The mean and 95 % CI of a column. `cells` holds the rows of each data set.

    The mean is taken over the data sets for each pair of seeds, then over the initialisation seeds of each data seed,
    then over the data seeds. If the seeds differ between data sets, the result is the mean of their means without a CI.
    Untrained methods score the same for every seed and have no CI, unless `drawn` says that seeds matter for them, too.
    None if a data set has no number.
    """
    found = [column.values(rows) for rows in cells]
    if not all(found):
        return None
    if not drawn and all(row.trainable == 0 for rows in cells for row in rows):
        return Summary(_mean([next(iter(values.values())) for values in found]), None, 1)
    if all(values.keys() == found[0].keys() for values in found):
        return summarise(by_data_seed({seeds: _mean([values[seeds] for values in found]) for seeds in found[0]}))
    return Summary(_mean([_mean(by_data_seed(values)) for values in found]), None, 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
