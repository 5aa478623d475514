"""The rows of each table, sorted into its lines: where every table, comparison and picture starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bmip.experiments.results import Row
from bmip.metrics import Summary
from bmip.report.cells import Numbers
from bmip.report.columns import Column
from bmip.report.labels import Variant, circumstances, labels, variant
from bmip.report.layouts import Layout, layout
from bmip.report.places import Place, PlacedRow, placed
from bmip.run_spec import HALF


@dataclass(frozen=True)
class TableData:
    """The rows of one table, sorted into its lines."""

    rows: Sequence[PlacedRow]
    layout: Layout
    cells: Mapping[tuple[Place, Variant], Sequence[Row]]
    """The rows of each line on each data set, in the order of their seeds."""

    labels: Mapping[Variant, str]
    """The name of each line, in the order in which they are printed."""

    circumstances: str
    """The end of the title: what holds for all rows."""

    @property
    def places(self) -> list[Place]:
        """The data sets in the order in which they are printed: the source of a transfer first."""
        return sorted({place for place, _ in self.cells}, key=lambda place: (place != self.layout.source, place))

    @property
    def averaged(self) -> list[Place]:
        """The data sets that an average is over: all but the source of a transfer, or the source where it is alone."""
        return [place for place in self.places if place != self.layout.source] or self.places

    @cached_property
    def numbers(self) -> Mapping[str, Numbers]:
        """The numbers of all lines by the heading of their column.

        Seeds do not matter for untrained methods, unless the protocol draws label spaces.
        """
        trained = {one for (_, one), rows in self.cells.items() if any(row.trainable for row in rows)}
        seedless = frozenset() if self.layout.drawn else self.labels.keys() - trained
        return {column.heading: Numbers(column, self.cells, seedless) for column in self.layout.columns}

    def summaries(self, one: Variant, places: Sequence[Place]) -> dict[str, Summary]:
        """The numbers of a line on one data set, or on the average of several, by heading; without what it lacks."""
        found: dict[str, Summary] = {}
        for column in self.layout.columns:
            numbers = self.numbers[column.heading]
            own = numbers.summary(one, places) if isinstance(column, Column) else column.of(found)
            if own is not None:
                found[column.heading] = own
        return found

    def lacking(self, one: Variant) -> dict[str, list[str]]:
        """The cells of an average that a line lacks and others have, by heading; empty for a line that lacks none."""
        found = {heading: numbers.lacking(one, self.averaged) for heading, numbers in self.numbers.items()}
        return {heading: cells for heading, cells in found.items() if cells}


def table_data(rows: Iterable[Row]) -> list[TableData]:
    """One for each protocol, number of shots, choice of base classes, source of a transfer and backbone.

    Rows on older versions of a data set have a table of their own.
    """
    groups: dict[tuple[str, ...], list[PlacedRow]] = defaultdict(list)
    for one in placed(rows):
        groups[_table_of(one)].append(one)
    return [arranged(members, layout(members)) for _, members in sorted(groups.items())]


def arranged(rows: Sequence[PlacedRow], plan: Layout) -> TableData:
    """The rows of one table, sorted into its lines."""
    cells: dict[tuple[Place, Variant], list[Row]] = defaultdict(list)
    shots = not plan.shots_in_columns
    for one in sorted(rows, key=_order):
        cells[one.evaluated_on, variant(one.row, shots=shots)].append(one.row)
    plain = [one.row for one in rows]
    names = labels(plain, shots=shots, made_for=plan.preset)
    return TableData(rows, plan, dict(cells), names, circumstances(plain, shots=shots))


def _order(one: PlacedRow) -> tuple[int, int, int]:
    run = one.row.trial.run
    return run.data_seed, run.init_seed, run.shots


def _table_of(one: PlacedRow) -> tuple[str, ...]:
    """What the rows of a table have in common. It is sorted as text, in which fewer shots come first."""
    run, plan = one.row.trial.run, layout([one])
    return (
        one.row.trial.protocol,
        "" if plan.shots_in_columns else f"{run.shots:06}",
        "" if run.base == HALF else str(run.base),
        str(plan.source or ""),
        run.backbone,
        one.row.backbone,
        "older" if one.is_older else "",
    )
