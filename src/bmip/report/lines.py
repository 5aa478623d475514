"""The table of results: a line for each data set and method, and their averages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bmip.experiments.results import Row
from bmip.metrics import Summary
from bmip.report.columns import Balance
from bmip.report.labels import Variant
from bmip.report.pairs import clearly_best
from bmip.report.places import Place
from bmip.report.seeds import Seeds, are_crossed, seeds_text
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData

ABSENT = "–"
MEAN_OF_HMS = "mean of HMs"


@dataclass(frozen=True)
class Group:
    """Lines of a table that stand together: those of a data set, or the averages."""

    name: str
    places: Sequence[Place]
    numbers: Mapping[Variant, Mapping[str, Summary | None]]
    """The numbers of each line by heading; a cell without a heading stays empty."""


def lay_out(data: TableData) -> Table:
    """The table with a line for each data set and method, and the averages of each method."""
    layout, headings = data.layout, [column.heading for column in data.layout.columns]
    facts = ("seeds", "trainable parameters", "seconds") if layout.timed else ("seeds", "trainable parameters")
    lines: list[tuple[str, ...]] = []
    sections: list[int] = []
    bold: set[tuple[int, int]] = set()
    for group in groups(data):
        best = best_lines(data, group)
        for one, numbers in group.numbers.items():
            bold |= {(len(lines), 2 + headings.index(heading)) for heading, line in best.items() if line == one}
            shown = [number(numbers[heading]) if heading in numbers else "" for heading in headings]
            own = [""] * len(facts) if group.name == MEAN_OF_HMS else _facts(data, one, group.places)
            lines.append((group.name, data.labels[one], *shown, *own[: len(facts)]))
        sections.append(len(lines) - 1)
    return Table(
        layout.title + data.circumstances,
        ("data set", "method", *headings, *facts),
        without_repeats(lines),
        layout.caption + _about_averages(data) + (BOLD if bold else "") + _about_rows(data),
        tuple(sections),
        frozenset(bold),
    )


BOLD = (
    " Bold: the best of a column on a data set, or of the averages, where the 95 % CI of its paired difference to the "
    "next best excludes zero."
)


def groups(data: TableData) -> Iterator[Group]:
    """The lines on each data set, the averages, and the means of the harmonic means where there are any."""
    headings = [column.heading for column in data.layout.columns]
    for place in data.places:
        lines = {one: data.summaries(one, [place]) for one in data.labels if (place, one) in data.cells}
        name = f"{place} (source)" if place == data.layout.source else str(place)
        yield Group(name, [place], {one: {name: own.get(name) for name in headings} for one, own in lines.items()})
    if len(averaged := data.averaged) < 2:
        return
    whole = {one: data.summaries(one, averaged) for one in data.labels}
    yield Group("average", averaged, {one: {name: own.get(name) for name in headings} for one, own in whole.items()})
    balances = [column.heading for column in data.layout.columns if isinstance(column, Balance)]
    if balances:
        each = {one: [data.summaries(one, [place]) for place in averaged] for one in data.labels}
        means = {
            one: {name: _mean([found[name] for found in each[one]]) if name in own else None for name in balances}
            for one, own in whole.items()
        }
        yield Group(MEAN_OF_HMS, averaged, means)


def best_lines(data: TableData, group: Group) -> dict[str, Variant]:
    """The line of a group that is clearly best, by heading; without headings where none is."""
    found = {}
    for column in data.layout.columns:
        name = column.heading
        known = {one: own for one, numbers in group.numbers.items() if (own := numbers.get(name)) is not None}
        best = clearly_best(data, column, group.places, {one: own.mean for one, own in known.items()})
        if best is not None:
            found[name] = best
    return found


def number(summary: Summary | None) -> str:
    """The mean and half the 95 % CI as text; a dash for None."""
    if summary is None:
        return ABSENT
    return f"{summary.mean:.1f}" if summary.margin is None else f"{summary.mean:.1f} ± {summary.margin:.1f}"


def _mean(summaries: Sequence[Summary]) -> Summary:
    return Summary(sum(one.mean for one in summaries) / len(summaries), None, 1)


def _facts(data: TableData, one: Variant, places: Sequence[Place]) -> tuple[str, str, str]:
    """Seeds, trainable parameters, and the mean seconds of the runs that took any: untrained methods run once only.

    Seeds are the fewest and the most of any data set; parameters are absent where they differ between data sets.
    """
    cells = [rows for place in places if (rows := data.cells.get((place, one)))]
    trainable = {row.trainable for rows in cells for row in rows}
    took = [row.seconds for rows in cells for row in rows if row.seconds]
    return (
        seeds_text([seeds for rows in cells for seeds in _runs(rows)]),
        f"{trainable.pop():,}" if len(trainable) == 1 else ABSENT,
        f"{sum(took) / len(took):.0f}" if took else ABSENT,
    )


def _runs(rows: Iterable[Row]) -> list[set[Seeds]]:
    """The seeds of each number of shots."""
    found: dict[int, set[Seeds]] = defaultdict(set)
    for row in rows:
        found[row.trial.run.shots].add((row.trial.run.data_seed, row.trial.run.init_seed))
    return list(found.values())


def _about_averages(data: TableData) -> str:
    if len(data.averaged) < 2:
        return ""
    text = f" The average is over the {len(data.averaged)} data sets"
    text += " without the source." if data.layout.source is not None else "."
    if any(isinstance(column, Balance) for column in data.layout.columns):
        text += (
            " There the harmonic mean is that of the averages, as papers print it; 'mean of HMs' is the mean of the "
            "data sets' own harmonic means."
        )
    return text + without_average(data)


def without_average(data: TableData) -> str:
    """A sentence on the lines that have no average, and the cells that each lacks; empty where no line lacks any."""
    lacking = {label: lacking_text(cells) for one, label in data.labels.items() if (cells := data.lacking(one))}
    if not lacking:
        return ""
    named = "; ".join(f"{', '.join(names)} (without {cells})" for cells, names in by_cells(lacking).items())
    return f" Without an average, for lack of results that other lines have: {named}."


def by_cells(lacking: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of what lacks the same cells, by these cells."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, cells in lacking.items():
        found[cells].append(name)
    return found


def lacking_text(lacking: Mapping[str, Sequence[str]]) -> str:
    """The cells that a line lacks in its columns (`TableData.lacking`): "y, z (seeds 2/2)"."""
    found: dict[str, list[str]] = defaultdict(list)
    for heading, cells in lacking.items():
        found[", ".join(cells)].append(heading)
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{cells} in {' and '.join(headings)}" for cells, headings in found.items())


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
