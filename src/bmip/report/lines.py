"""The lines of a table: each data set with each method, and their averages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from bmip.metrics import Summary
from bmip.protocols.trial import HALF, Trial
from bmip.report.columns import Balance, Column, summary
from bmip.report.table import Table, without_repeats
from bmip.results import Row

ABSENT = "–"
NAMED = 4  # base classes in a title
Variant = Trial
"""A trial without data sets and seeds: one line of a table."""


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
    return row.trial.target or row.trial.data


def variant(row: Row, *, shots: bool = True) -> Variant:
    found = row.trial.variant()
    return found if shots else replace(found, shots=0)


def cells(rows: Iterable[Row], key: Callable[[Row], Variant] = variant) -> dict[tuple[str, Variant], list[Row]]:
    """Rows of one line, in the order of the seeds."""
    found: dict[tuple[str, Variant], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.trial.data_seed, row.trial.init_seed, row.trial.shots)):
        found[place(row), key(row)].append(row)
    return found


def labels(rows: Iterable[Row], key: Callable[[Row], Variant] = variant) -> dict[Variant, str]:
    """What each line is called, with as much of its settings as tells it from the others.

    Untrained methods come first and this package's own last.
    """
    rows = list(rows)
    untrained = {key(row) for row in rows if row.learned == 0}
    variants = sorted(
        {key(row) for row in rows}, key=lambda v: (v not in untrained, v.method.startswith("bmip"), repr(v))
    )
    found = {}
    for one in variants:
        same = [other for other in variants if other.method == one.method]
        label = one.method.replace("_", "-")
        if len({other.preset for other in same}) > 1:
            label += f" ({one.preset})"
        same = [other for other in same if other.preset == one.preset]
        common = set.intersection(*(set(other.options) | set(other.training) for other in same))
        own = [f"{name}={value}" for name, value in one.options + one.training if (name, value) not in common]
        if len({other.template for other in same}) > 1:
            own.append(repr(one.template) if one.template else "own template")
        found[one] = " ".join([label, *own])
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
        layout.title + circumstances(rows[0], shots=key(rows[0]).shots == rows[0].trial.shots),
        ("data set", "method", *(column.heading for column in layout.columns), *told),
        without_repeats(lines),
        layout.caption + _about_averages(len(averaged), balances, layout.source is not None),
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


def circumstances(row: Row, *, shots: bool = True) -> str:
    trial = row.trial
    given = f", {said_shots(trial.shots)}" if shots else ""
    base = "" if trial.base == HALF else f", {said_base(trial.base)}"
    return f"{given}{base}, {trial.backbone} ({row.backbone[:8]})"


def said_base(base: float | tuple[str, ...]) -> str:
    if not isinstance(base, tuple):
        return f"base: the first {base:.0%}"
    more = f" and {len(base) - NAMED} more" if len(base) > NAMED else ""
    return f"base: {', '.join(base[:NAMED])}{more}"


def said_shots(shots: int) -> str:
    return f"{shots} shot{'s' if shots > 1 else ''}" if shots else "all images"


def _line(layout: Layout, whole: Sequence[Sequence[Row]]) -> list[str]:
    found = summaries(layout, whole)
    return [number(found.get(column.heading)) for column in layout.columns]


def _told(rows: Sequence[Row]) -> tuple[str, str, str]:
    """Seeds, trained values, and the mean seconds of a run; of a method that learns nothing, of its only one."""
    seeds = len({(row.trial.data_seed, row.trial.init_seed) for row in rows})
    took = [row.seconds for row in rows if row.seconds]
    return str(seeds), f"{rows[0].learned:,}", f"{sum(took) / len(took):.0f}" if took else ABSENT


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
