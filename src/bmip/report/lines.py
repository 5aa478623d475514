"""The table of results: a line for each data set and method, and their averages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bmip.experiments.results import Row
from bmip.metrics import Summary
from bmip.report.columns import Balance, Column, summary
from bmip.report.layouts import Layout
from bmip.report.seeds import Seeds, are_crossed, seeds_text
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData

ABSENT = "–"


def lay_out(data: TableData) -> Table:
    """The table with a line for each data set and method, and the averages of each method."""
    layout, averaged = data.layout, data.averaged
    facts = ("seeds", "trainable parameters", "seconds") if layout.timed else ("seeds", "trainable parameters")
    empty = [""] * len(facts)
    lines: list[tuple[str, ...]] = []
    sections: list[int] = []
    for place in data.places:
        name = f"{place} (source)" if place == layout.source else str(place)
        for one, label in data.labels.items():
            if own := data.cells.get((place, one)):
                lines.append((name, label, *_line(layout, [own]), *_facts(own)[: len(facts)]))
        sections.append(len(lines) - 1)
    balances = any(isinstance(column, Balance) for column in layout.columns)
    if len(averaged) > 1:
        wholes = [(label, data.line(one, averaged)) for one, label in data.labels.items()]
        lines += [("average", label, *_line(layout, whole), *empty) for label, whole in wholes]
        sections.append(len(lines) - 1)
        if balances:
            lines += [("mean of HMs", label, *_balances(layout, whole), *empty) for label, whole in wholes]
    return Table(
        layout.title + data.circumstances,
        ("data set", "method", *(column.heading for column in layout.columns), *facts),
        without_repeats(lines),
        layout.caption + _about_averages(len(averaged), balances, layout.source is not None) + _about_rows(data),
        tuple(sections),
    )


def summaries(layout: Layout, whole: Sequence[Sequence[Row]]) -> dict[str, Summary]:
    """The numbers of a line by heading, without those that have none. `whole` holds the rows of each data set."""
    found: dict[str, Summary] = {}
    for column in layout.columns:
        one = summary(column, whole, layout.drawn) if isinstance(column, Column) else column.of(found)
        if one is not None:
            found[column.heading] = one
    return found


def number(summary: Summary | None) -> str:
    """The mean and half the 95 % CI as text; a dash for None."""
    if summary is None:
        return ABSENT
    return f"{summary.mean:.1f}" if summary.margin is None else f"{summary.mean:.1f} ± {summary.margin:.1f}"


def _line(layout: Layout, whole: Sequence[Sequence[Row]]) -> list[str]:
    found = summaries(layout, whole)
    return [number(found.get(column.heading)) for column in layout.columns]


def _facts(rows: Sequence[Row]) -> tuple[str, str, str]:
    """Seeds, trainable parameters, and the mean seconds of the runs that took any: untrained methods run once only."""
    took = [row.seconds for row in rows if row.seconds]
    return seeds_text(_runs(rows)), f"{rows[0].trainable:,}", f"{sum(took) / len(took):.0f}" if took else ABSENT


def _runs(rows: Iterable[Row]) -> list[set[Seeds]]:
    """The seeds of each number of shots."""
    found: dict[int, set[Seeds]] = defaultdict(set)
    for row in rows:
        found[row.trial.run.shots].add((row.trial.run.data_seed, row.trial.run.init_seed))
    return list(found.values())


def _balances(layout: Layout, whole: Sequence[Sequence[Row]]) -> list[str]:
    """The mean of the harmonic means of the data sets, as their own lines show them."""
    each = [summaries(layout, [rows]) for rows in whole]
    shown = []
    for column in layout.columns:
        known = [own[column.heading].mean for own in each if column.heading in own]
        mean = Summary(sum(known) / len(known), None, 1) if len(known) == len(each) else None
        shown.append("" if isinstance(column, Column) else number(mean))
    return shown


def _about_averages(count: int, balances: bool, source: bool) -> str:
    if count < 2:
        return ""
    text = f" The average is over the {count} data sets"
    text += " without the source." if source else "."
    if balances:
        text += (
            " There the harmonic mean is that of the averages, as papers print it; 'mean of HMs' is the mean of the "
            "data sets' own harmonic means."
        )
    return text


def _about_rows(data: TableData) -> str:
    text = " Brackets in the title: the first letters of the hash of the backbone's weights."
    if any(own[0].trainable and any(map(are_crossed, _runs(own))) for own in data.cells.values()):
        text += (
            " Where data seeds were combined with several initialisation seeds (data x initialisation), the 95 % CI "
            "is that of the means per data seed."
        )
    if any(one.row.template for one in data.rows):
        text += (
            " The template of an untrained method is the one best on validation images, where a data set has such "
            "images and several templates."
        )
    if any(one.is_older for one in data.rows):
        text += (
            " Brackets behind a data set: the first letters of the hash of its images and splits, as `bmip data check` "
            "prints it. They have changed since; another table holds the results on the latest ones."
        )
    return text
