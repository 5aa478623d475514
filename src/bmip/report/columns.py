"""What a column says of runs that differ in their seeds, and of several data sets together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bmip.metrics import Summary, harmonic_mean, summarise
from bmip.results import Row

Seeds = tuple[int, int]


@dataclass(frozen=True)
class Column:
    """A number of each run, shown as mean and interval."""

    heading: str
    of: Callable[[Row], float | None]
    """None where the run does not tell."""

    def values(self, rows: Sequence[Row]) -> dict[Seeds, float]:
        """By data seed and initialisation seed."""
        found = [((row.trial.data_seed, row.trial.init_seed), self.of(row)) for row in rows]
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


def over_seeds(column: Column, rows: Sequence[Row], drawn: bool = False) -> Summary | None:
    """Where nothing is drawn the seeds are one and the same result."""
    values = list(column.values(rows).values())
    if not values:
        return None
    return summarise(values[:1] if not drawn and all(row.learned == 0 for row in rows) else values)


def over_data(column: Column, cells: Sequence[Sequence[Row]], drawn: bool = False) -> Summary | None:
    """Over data sets first, for each pair of seeds, then over seeds; over the means where the seeds differ."""
    found = [column.values(rows) for rows in cells]
    if not all(found):
        return None
    alike = all(values.keys() == found[0].keys() for values in found)
    if not drawn and all(row.learned == 0 for rows in cells for row in rows):
        return Summary(_mean([next(iter(values.values())) for values in found]), None, 1)
    if alike:
        return summarise([_mean([values[seeds] for values in found]) for seeds in found[0]])
    return Summary(_mean([_mean(list(values.values())) for values in found]), None, 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
