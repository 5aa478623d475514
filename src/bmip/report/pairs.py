"""Who beats whom: two lines of a table, compared over exactly the cells that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from bmip.metrics import Comparison, compare, holm
from bmip.report.columns import Balance, Column
from bmip.report.labels import Variant
from bmip.report.places import Place
from bmip.report.seeds import Seeds, by_data_seed
from bmip.report.table_data import TableData


@dataclass(frozen=True)
class Pair:
    """Two lines, compared in one column."""

    first: Variant
    second: Variant
    cells: Mapping[Place, Sequence[Seeds]]
    """The data sets with the seeds that both have."""

    lacking: tuple[str, ...]
    """The cells that one of the two lacks and some line of the table has, for a person."""

    comparison: Comparison
    """The first line's numbers minus the second's."""

    corrected: float | None = None
    """The p value, corrected by Holm for all pairs of the table; None without a p value."""

    ahead: int = 0
    """The number of data sets on which the first line's mean is the better one."""


def pair(
    data: TableData, column: Column | Balance, first: Variant, second: Variant, places: Sequence[Place]
) -> Pair | None:
    """The comparison of two lines on these data sets; None where they have no cell in common.

    Where data seeds were run with several initialisation seeds, the means of each data seed are compared. In a column
    of harmonic means, those of single runs are compared.
    """
    numbers = data.numbers[column.heading]
    shared = {place: sorted(numbers.of(first, place).keys() & numbers.of(second, place).keys()) for place in places}
    cells = {place: seeds for place, seeds in shared.items() if seeds}
    if not cells:
        return None
    if first in numbers.seedless and second in numbers.seedless:  # repeating one number tells nothing
        cells = {place: seeds[:1] for place, seeds in cells.items()}
    one, other = (
        [by_data_seed({each: numbers.of(line, place)[each] for each in seeds}) for place, seeds in cells.items()]
        for line in (first, second)
    )
    sign = -1 if column.lower_is_better else 1
    ahead = sum(
        sign * (sum(mine) - sum(theirs)) > 0 for mine, theirs in zip(one, other, strict=True)
    )  # as many seeds on both sides
    lacking = dict.fromkeys(cell for line in (first, second) for cell in numbers.lacking(line, places))
    return Pair(first, second, cells, tuple(lacking), compare(one, other), ahead=ahead)


def all_pairs(data: TableData, columns: Sequence[Column | Balance]) -> list[tuple[str, Pair]]:
    """Every two lines of a table over the data sets that an average is over, in the order of the lines.

    Each comes with the heading of its column, one column after the other. The correction of p is for all of them.
    """
    asked = [(column, *two) for column in columns for two in combinations(data.labels, 2)]
    found = [
        (column.heading, one)
        for column, first, second in asked
        if (one := pair(data, column, first, second, data.averaged)) is not None
    ]
    judged = [number for number, (_, one) in enumerate(found) if one.comparison.p is not None]
    corrected = holm([p for _, one in found if (p := one.comparison.p) is not None])
    for number, p in zip(judged, corrected, strict=True):
        heading, one = found[number]
        found[number] = heading, replace(one, corrected=p)
    return found


def clearly_best(
    data: TableData, column: Column | Balance, places: Sequence[Place], means: Mapping[Variant, float]
) -> Variant | None:
    """The line with the best of these means, if the 95 % CI of its difference to the next one excludes zero.

    The difference is that of `pair`.
    """
    order = sorted(means, key=means.__getitem__, reverse=not column.lower_is_better)
    if len(order) < 2:
        return None
    found = pair(data, column, order[0], order[1], places)
    if found is None or not found.comparison.is_clear:
        return None
    return order[0] if (found.comparison.difference.mean < 0) == column.lower_is_better else None
