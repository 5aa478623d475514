"""Differences of every method to one reference method, paired by seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmip.experiments.results import Row
from bmip.metrics import Comparison, compare
from bmip.report.columns import Balance, Column
from bmip.report.labels import Variant
from bmip.report.layouts import Layout
from bmip.report.lines import ABSENT
from bmip.report.seeds import Seeds, by_data_seed, seeds_text
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData, table_data


def against_tables(rows: Iterable[Row], reference: str) -> tuple[list[Table], list[str]]:
    """The tables of differences, and a message for each table that has no line of the reference.

    `reference` is the name of a line in the tables, such as "zero-shot". Raises ValueError if no table has that line.
    """
    found, lacking = [], []
    for data in table_data(rows):
        title = f"{data.layout.title} against {reference}{data.circumstances}"
        chosen = next((one for one, label in data.labels.items() if label == reference), None)
        if chosen is not None:
            found.append(_table(title, data, chosen))
        else:
            there = ", ".join(data.labels.values())
            lacking.append(f"{title}: {reference!r} is no line of the table: there are {there}")
    if not found:
        raise ValueError("; ".join(lacking))
    return found, lacking


def _table(title: str, data: TableData, chosen: Variant) -> Table:
    plan = data.layout
    averaged = [place for place in data.averaged if (place, chosen) in data.cells]
    others = {one: label for one, label in data.labels.items() if one != chosen}
    lines: list[tuple[str, ...]] = []
    sections = []
    groups = [(str(place), [place]) for place in data.places if (place, chosen) in data.cells]
    groups += [("average", averaged)] if len(averaged) > 1 else []
    for name, places in groups:
        for one, label in others.items():
            if len(places) > 1 or (places[0], one) in data.cells:
                lines.append((name, label, *_differences(plan, data.line(one, places), data.line(chosen, places))))
        sections.append(len(lines) - 1)
    return Table(
        title,
        ("data set", "method", *(column.heading for column in plan.columns), "pairs"),
        without_repeats(lines),
        f"Differences to {data.labels[chosen]} in points, run by run with the same seeds: mean ± half the 95 % "
        "CI, and p of the two-sided paired t test, which needs differences that vary. Harmonic means are those of "
        "single runs. Pairs: the seeds that both sides have"
        f"{'.' if plan.drawn else '; an untrained method has every seed.'}",
        tuple(sections),
    )


def _differences(plan: Layout, one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]) -> list[str]:
    compared = [_compared(plan, column, one, other) for column in plan.columns]
    return [*(_shown(comparison) for comparison, _ in compared), seeds_text(seeds for _, seeds in compared if seeds)]


def _compared(
    plan: Layout, column: Column | Balance, one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]
) -> tuple[Comparison | None, Sequence[Seeds]]:
    """The paired comparison over the seeds that all data sets of both sides have, and these seeds.

    Averages over data sets are made first, then those over the initialisation seeds of each data seed.
    """
    trained = [row.trial for rows in (*one, *other) for row in rows if row.trainable]
    known = {(trial.run.data_seed, trial.run.init_seed) for trial in trained} or {(0, 0)}
    sides = [[_values(plan, column, rows, known) for rows in side] for side in (one, other)]
    common = sorted(set.intersection(*(set(own) for side in sides for own in side)))
    if not common:
        return None, []
    means = [by_data_seed({seeds: sum(own[seeds] for own in side) / len(side) for seeds in common}) for side in sides]
    return compare(*([own] for own in means)), common


def _values(plan: Layout, column: Column | Balance, rows: Sequence[Row], known: Iterable[Seeds]) -> dict[Seeds, float]:
    """The number of each pair of seeds. Untrained methods score the same for every seed; that value is repeated."""
    found = column.values(rows)
    if found and not plan.drawn and all(row.trainable == 0 for row in rows):
        return dict.fromkeys(known, next(iter(found.values())))
    return found


def _shown(comparison: Comparison | None) -> str:
    if comparison is None:
        return ABSENT
    difference = comparison.difference
    if difference.margin is None:
        return f"{difference.mean:+.1f}"
    p = ABSENT if comparison.p is None else "< 0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}"
    return f"{difference.mean:+.1f} ± {difference.margin:.1f}, p {p}"
