"""Methods times data sets in one number each: a table at a glance."""

from __future__ import annotations

from collections.abc import Iterable

from bmip.experiments.results import Row
from bmip.report.columns import Balance
from bmip.report.lines import ABSENT, best_lines, groups, without_average
from bmip.report.seeds import seeds_text
from bmip.report.table import Table
from bmip.report.table_data import TableData, table_data


def matrix_tables(rows: Iterable[Row]) -> list[Table]:
    """The matrix of each table of the rows that has one."""
    made = map(matrix_table, table_data(rows))
    return [table for table in made if table is not None]


def matrix_table(data: TableData) -> Table | None:
    """A line for each method, with a column for each data set and one for their average.

    None where there is one data set only, and where methods are not compared by one column, as with several numbers of
    shots.
    """
    if len(data.layout.judged) != 1 or len(data.averaged) < 2:
        return None
    (column,) = data.layout.judged
    heading = column.heading
    shown = [group for group in groups(data) if len(group.places) == 1 or group.name == "average"]
    best = [best_lines(data, group).get(heading) for group in shown]
    lines, bold = [], set[tuple[int, int]]()
    for one, label in data.labels.items():
        found = [group.numbers.get(one, {}).get(heading) for group in shown]
        bold |= {(len(lines), place) for place, line in enumerate(best, 1) if line == one}
        lines.append((label, *(ABSENT if own is None else f"{own.mean:.1f}" for own in found)))
    of_averages = " That of the averages is the last, as papers print it." if isinstance(column, Balance) else ""
    mark = " Bold: the best of a column, where the 95 % CI of its paired difference to the next best excludes zero."
    return Table(
        f"{data.layout.title}, {heading} at a glance{data.circumstances}",
        ("method", *(group.name for group in shown)),
        tuple(lines),
        f"The {heading} in %, of means over {_seeds(data)}.{of_averages}{mark if bold else ''}{without_average(data)}",
        bold=frozenset(bold),
    )


def _seeds(data: TableData) -> str:
    """How many seeds the trained lines have, the fewest and the most: "5 seeds"."""
    trained = [
        {(row.trial.run.data_seed, row.trial.run.init_seed) for row in rows}
        for rows in data.cells.values()
        if any(row.trainable for row in rows)
    ]
    return f"{seeds_text(trained)} seeds" if trained else "seeds"
