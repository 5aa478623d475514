"""The lines of a table: each data set with each method, and their averages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bmip.experiments.results import Row
from bmip.metrics import Summary
from bmip.report import old_splits
from bmip.report.columns import Balance, Column, summary
from bmip.report.labels import Variant, circumstances, labels, variant
from bmip.report.seeds import Seeds, are_crossed, said_seeds
from bmip.report.table import Table, without_repeats

ABSENT = "–"


@dataclass(frozen=True)
class Layout:
    """How the rows of one protocol become a table."""

    title: str
    columns: tuple[Column | Balance, ...]
    caption: str
    source: str | None = None
    """The data set whose line comes first and does not enter the average; None where no data set is one."""

    drawn: bool = False
    """Whether seeds count for methods that learn nothing, too."""

    timed: bool = False
    """Whether a run's seconds are those of its own training, so that they say what a method costs."""

    axis: str = ""
    """What changes from column to column, where that is one quantity; a picture then shows curves along it."""

    pictured: tuple[str, ...] = ()
    """Headings of what a picture shows where there are too many columns; empty for all."""


def place(row: Row) -> str:
    """The data set whose test images were judged."""
    return row.trial.place


def cells(rows: Iterable[Row], key: Callable[[Row], Variant] = variant) -> dict[tuple[str, Variant], list[Row]]:
    """Rows of one line, in the order of the seeds."""
    found: dict[tuple[str, Variant], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.trial.run.data_seed, row.trial.run.init_seed, row.trial.run.shots)):
        found[place(row), key(row)].append(row)
    return found


def lay_out(rows: Sequence[Row], layout: Layout, key: Callable[[Row], Variant] = variant) -> Table:
    found, called = cells(rows, key), labels(rows, key)
    places, averaged = places_of(found, layout)
    told = ("seeds", "trained values", "seconds") if layout.timed else ("seeds", "trained values")
    untold = [""] * len(told)
    lines: list[tuple[str, ...]] = []
    sections: list[int] = []
    for name in places:
        for one, label in called.items():
            if own := found.get((name, one)):
                mark = " (source)" if name == layout.source else ""
                lines.append((name + mark, label, *_line(layout, [own]), *_told(own)[: len(told)]))
        sections.append(len(lines) - 1)
    balances = any(isinstance(column, Balance) for column in layout.columns)
    if len(averaged) > 1:
        wholes = [(label, [found.get((name, one), []) for name in averaged]) for one, label in called.items()]
        lines += [("average", label, *_line(layout, whole), *untold) for label, whole in wholes]
        sections.append(len(lines) - 1)
        if balances:
            lines += [("mean of HMs", label, *_balances(layout, whole), *untold) for label, whole in wholes]
    return Table(
        layout.title + circumstances(rows, key),
        ("data set", "method", *(column.heading for column in layout.columns), *told),
        without_repeats(lines),
        layout.caption + _about_averages(len(averaged), balances, layout.source is not None) + _about_rows(found),
        tuple(sections),
    )


def places_of(found: Iterable[tuple[str, Variant]], layout: Layout) -> tuple[list[str], list[str]]:
    """The data sets in their order, and those of them that are averaged over."""
    places = sorted({name for name, _ in found}, key=lambda name: (name != layout.source, name))
    return places, [name for name in places if name != layout.source]


def summaries(layout: Layout, whole: Sequence[Sequence[Row]]) -> dict[str, Summary]:
    """The numbers of a line by their headings, as far as there are any."""
    found: dict[str, Summary] = {}
    for column in layout.columns:
        if isinstance(column, Column) and (one := summary(column, whole, layout.drawn)) is not None:
            found[column.heading] = one
    known = {heading: one.mean for heading, one in found.items()}
    for column in layout.columns:
        if isinstance(column, Balance) and (balance := column.of(known)) is not None:
            found[column.heading] = Summary(balance, None, 1)
    return found


def number(summary: Summary | None) -> str:
    if summary is None:
        return ABSENT
    return f"{summary.mean:.1f}" if summary.margin is None else f"{summary.mean:.1f} ± {summary.margin:.1f}"


def _line(layout: Layout, whole: Sequence[Sequence[Row]]) -> list[str]:
    found = summaries(layout, whole)
    return [number(found.get(column.heading)) for column in layout.columns]


def _told(rows: Sequence[Row]) -> tuple[str, str, str]:
    """Seeds, trained values, and the mean seconds of a run; of a method that learns nothing, of its only one."""
    took = [row.seconds for row in rows if row.seconds]
    return said_seeds(_runs(rows)), f"{rows[0].trainable:,}", f"{sum(took) / len(took):.0f}" if took else ABSENT


def _runs(rows: Iterable[Row]) -> list[set[Seeds]]:
    """The seeds of each number of shots."""
    found: dict[int, set[Seeds]] = defaultdict(set)
    for row in rows:
        found[row.trial.run.shots].add((row.trial.run.data_seed, row.trial.run.init_seed))
    return list(found.values())


def _balances(layout: Layout, whole: Sequence[Sequence[Row]]) -> list[str]:
    """The means of the data sets' harmonic means, each as in its own line."""
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
    over = f" The average is over the {count} data sets"
    over += " without the source." if source else "."
    if balances:
        over += (
            " There the harmonic mean is that of the averages, as papers print it; 'mean of HMs' is the mean of the "
            "data sets' own harmonic means."
        )
    return over


def _about_rows(found: Mapping[tuple[str, Variant], Sequence[Row]]) -> str:
    rows = [row for own in found.values() for row in own]
    said = ""
    if any(own[0].trainable and any(map(are_crossed, _runs(own))) for own in found.values()):
        said += (
            " Where each data seed met several initialisation seeds (data seeds x initialisation seeds), the interval "
            "is that of the means per data seed."
        )
    if any(row.template for row in rows):
        said += (
            " The sentence of a method that learns nothing is the one best on validation images, where a data set has "
            "such images and several sentences."
        )
    return said + (old_splits.CAPTION if any(map(old_splits.is_older, rows)) else "")
