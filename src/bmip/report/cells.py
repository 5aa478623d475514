"""The numbers that a column of a table is made of: one for each line in each cell, a data set with a pair of seeds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from bmip.experiments.results import Row
from bmip.metrics import Summary, summarise
from bmip.report.columns import Balance, Column
from bmip.report.labels import Variant
from bmip.report.places import Place
from bmip.report.seeds import Seeds, by_data_seed

NO_SEED: Seeds = (0, 0)
"""Stands where all lines are untrained, so that no seed matters."""


class Numbers:
    """The numbers of a column. A line whose seeds do not matter has its one number in every cell of a data set.

    Args:
        column: the column.
        rows: the rows of each line on each data set.
        seedless: the lines whose seeds do not matter.
    """

    def __init__(
        self,
        column: Column | Balance,
        rows: Mapping[tuple[Place, Variant], Sequence[Row]],
        seedless: Collection[Variant],
    ) -> None:
        self.seedless = seedless
        self._found = {key: values for key, own in rows.items() if (values := column.values(own))}
        self._seeds: dict[Place, set[Seeds]] = {}
        for (place, one), values in self._found.items():
            self._seeds.setdefault(place, set()).update(() if one in seedless else values)
        for (place, one), values in self._found.items():
            if one in seedless:
                value = next(iter(values.values()))
                self._found[place, one] = dict.fromkeys(sorted(self._seeds[place] or {NO_SEED}), value)

    def of(self, one: Variant, place: Place) -> Mapping[Seeds, float]:
        """The numbers of a line on a data set; none where it has none there."""
        return self._found.get((place, one), {})

    def lacking(self, one: Variant, places: Iterable[Place]) -> list[str]:
        """The cells that another line has and this one lacks, for a person: "digits", "animals (seeds 2/2, 3/3)".

        Data sets that no line has are lacking, too.
        """
        found = []
        for place in places:
            own, seeds = self.of(one, place), self._seeds.get(place, set())
            if not own:
                found.append(str(place))
            elif missing := sorted(seeds - own.keys()):
                found.append(f"{place} (seeds {', '.join(f'{data}/{init}' for data, init in missing)})")
        return found

    def summary(self, one: Variant, places: Sequence[Place]) -> Summary | None:
        """The mean and 95 % CI of a line on one data set, or on the average of several.

        An average needs every cell that any line has; None where one is lacking. It is taken over the data sets for
        each pair of seeds, then over the initialisation seeds of each data seed, then over the data seeds. If the
        seeds differ between data sets, it is the mean of their means without a CI. Where seeds do not matter, there is
        no CI.
        """
        found = [self.of(one, place) for place in places]
        if not all(found) or (len(places) > 1 and self.lacking(one, places)):
            return None
        if one not in self.seedless and all(own.keys() == found[0].keys() for own in found):
            return summarise(by_data_seed({seeds: _mean([own[seeds] for own in found]) for seeds in found[0]}))
        return Summary(_mean([_mean(by_data_seed(own)) for own in found]), None, 1)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
