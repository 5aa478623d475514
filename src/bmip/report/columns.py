"""The columns of a table, each with the number that it takes from a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bmip.experiments.results import Row
from bmip.metrics import Summary, harmonic_mean
from bmip.report.seeds import Seeds


@dataclass(frozen=True)
class Column:
    """A column that shows one number of each run as mean and 95 % CI."""

    heading: str
    of: Callable[[Row], float | None]
    """Returns the number of a row; None if the row lacks it."""

    lower_is_better: bool = False

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
    lower_is_better: ClassVar[bool] = False

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


def scored(name: str, heading: str, *, lower_is_better: bool = False) -> Column:
    """A column of one of the scores of a row."""
    return Column(heading, lambda row: row.scores.get(name), lower_is_better)
