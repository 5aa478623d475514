"""What a column says of runs that differ in their seeds, and of several data sets together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bmip.experiments.results import Row
from bmip.metrics import Summary, harmonic_mean, summarise
from bmip.report.seeds import Seeds, by_data_seed


@dataclass(frozen=True)
class Column:
    """A number of each run, shown as mean and interval."""

    heading: str
    of: Callable[[Row], float | None]
    """None where the run does not tell."""

    def values(self, rows: Sequence[Row]) -> dict[Seeds, float]:
        found = [((row.trial.run.data_seed, row.trial.run.init_seed), self.of(row)) for row in rows]
        return {seeds: value for seeds, value in found if value is not None}


@dataclass(frozen=True)
class Balance:
    """The harmonic mean of two columns; in a line it is that of the line's two means."""

    heading: str
    base: str
    novel: str

    def of(self, means: Mapping[str, float]) -> float | None:
        if self.base not in means or self.novel not in means:
            return None
        return harmonic_mean(means[self.base], means[self.novel])


def counted(part: str, heading: str | None = None) -> Column:
    return Column(heading or part, lambda row: row.counts[part].percent if part in row.counts else None)


def scored(name: str, heading: str) -> Column:
    return Column(heading, lambda row: row.scores.get(name))


def summary(column: Column, cells: Sequence[Sequence[Row]], drawn: bool = False) -> Summary | None:
    """Over the data sets first (each one's runs are a cell), for each pair of seeds, then over the initialisation seeds
    of each data seed, then over the data seeds.

    Where the seeds differ between data sets it is the mean of their means, without an interval; where nothing is drawn
    the seeds are one and the same result; None where a data set has no number.
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
