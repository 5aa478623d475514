"""The tables of who beats whom, and of what all data sets and seeds say together."""

from __future__ import annotations

from collections.abc import Iterable

from bmip.experiments.results import Row
from bmip.report.comparison import DIFFERENCE, about_lacking, shown_difference, shown_p
from bmip.report.pairs import all_pairs
from bmip.report.seeds import seeds_text
from bmip.report.standings import Estimate, improvement, standings
from bmip.report.table import Table
from bmip.report.table_data import TableData, table_data

LEVEL = 0.05
"""Corrected p values below it are bold."""


def verdict_tables(rows: Iterable[Row]) -> list[Table]:
    """For each table of the rows the one of who beats whom, and the one over all data sets and seeds."""
    made = [table for data in table_data(rows) for table in (pairs_table(data), standings_table(data))]
    return [table for table in made if table is not None]


def pairs_table(data: TableData) -> Table | None:
    """A line for every two methods with a difference; None where the table has one method only."""
    lines: list[tuple[str, ...]] = []
    sections: list[int] = []
    bold: set[tuple[int, int]] = set()
    lacking: dict[str, str] = {}
    columns = {column.heading: column for column in data.layout.judged}
    for heading, one in all_pairs(data, data.layout.judged):
        names, comparison = (data.labels[one.first], data.labels[one.second]), one.comparison
        if lines and lines[-1][2] != heading:
            sections.append(len(lines) - 1)
        if one.corrected is not None and one.corrected < LEVEL:
            bold.add((len(lines), 3))
        if one.lacking:
            lacking[" against ".join(names)] = ", ".join(one.lacking)
        lines.append(
            (
                *names,
                heading,
                shown_difference(comparison),
                shown_p(comparison.p),
                shown_p(one.corrected),
                _shown(improvement(data, columns[heading], one)),
                f"{one.ahead} of {len(one.cells)}",
                seeds_text([set(seeds) for seeds in one.cells.values()]),
            )
        )
    sections.append(len(lines) - 1)
    if not lines:
        return None
    return Table(
        f"{data.layout.title}, who beats whom{data.circumstances}",
        ("method", "against", "in %", "difference", "p", "p, Holm", "P(better)", "data sets won", "pairs"),
        tuple(lines),
        f"Over {_data_sets(data)}. Difference in points, of runs with the same seeds. {DIFFERENCE} "
        f"{'Bold where p is' if bold else 'No p is'} below {LEVEL} after Holm's correction for all lines of "
        "this table. P(better): how often, in percent, a run of the method is better than one of the other "
        "on the same data set, ties counting half, with the 95 % CI (stratified bootstrap). Pairs: the seeds that both "
        f"have.{about_lacking(lacking)}",
        tuple(sections),
        frozenset(bold),
    )


def standings_table(data: TableData) -> Table | None:
    """A line for each method that lacks no result; None where there is one data set only."""
    if len(data.averaged) < 2:
        return None
    found = [(column.heading, one) for column in data.layout.judged for one in standings(data, column)]
    lines = [
        (data.labels[one.line], heading, *map(_shown, (one.mean, one.median, one.interquartile_mean)))
        for heading, one in found
    ]
    if not lines:
        return None
    return Table(
        f"{data.layout.title}, over all data sets and seeds{data.circumstances}",
        ("method", "in %", "mean", "median", "interquartile mean"),
        tuple(lines),
        f"Over {_data_sets(data)}, of single runs: the mean and the median of the data sets' means, and the mean of "
        "all runs without the lowest and the highest quarter of them. Brackets: the 95 % CI (stratified bootstrap), "
        "which is somewhat too narrow with few seeds. Methods that lack results of others have no line.",
    )


def _data_sets(data: TableData) -> str:
    count = len(data.averaged)
    return f"{count} data sets" if count > 1 else str(data.averaged[0])


def _shown(found: Estimate) -> str:
    return (
        f"{found.value:.1f}" if found.bounds is None else "{:.1f} [{:.1f}, {:.1f}]".format(found.value, *found.bounds)
    )
