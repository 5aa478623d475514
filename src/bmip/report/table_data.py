"""The rows of each table, sorted into its lines: where every table, comparison and picture starts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bmip.experiments.results import Row
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
        """The data sets that an average is over: all but the source of a transfer."""
        return [place for place in self.places if place != self.layout.source]

    def line(self, one: Variant, places: Iterable[Place]) -> list[Sequence[Row]]:
        """The rows of one line on each of these data sets; no rows for a data set that the line lacks."""
        return [self.cells.get((place, one), ()) for place in places]


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
