"""Every method against one of them, pair by pair over the same seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bmip.experiments.results import Row
from bmip.metrics import Comparison, compare
from bmip.report.columns import Balance, Column
from bmip.report.labels import Variant, circumstances, labels
from bmip.report.lines import ABSENT, Layout, cells, places_of
from bmip.report.seeds import Seeds, by_data_seed, said_seeds
from bmip.report.table import Table, without_repeats
from bmip.report.tables import grouped, layout, line_of


def against_tables(rows: Iterable[Row], reference: str) -> tuple[list[Table], list[str]]:
    """The tables, and what is to be said of those rows that have no line to compare with.

    `reference` is what its line is called in the tables, such as "zero-shot". Raises ValueError where no table has it.
    """
    found, lacking = [], []
    for members in grouped(rows):
        plan, key = layout(members), line_of(members)
        called = labels(members, key)
        title = f"{plan.title} against {reference}{circumstances(members, key)}"
        chosen = [one for one, label in called.items() if label == reference]
        if chosen:
            found.append(_table(title, plan, cells(members, key), called, chosen[0]))
        else:
            lacking.append(f"{title}: {reference!r} is no line of the table: there are {', '.join(called.values())}")
    if not found:
        raise ValueError("; ".join(lacking))
    return found, lacking


def _table(
    title: str,
    plan: Layout,
    found: Mapping[tuple[str, Variant], Sequence[Row]],
    called: Mapping[Variant, str],
    chosen: Variant,
) -> Table:
    places, averaged = places_of([cell for cell in found if cell[1] == chosen], plan)
    others = {one: label for one, label in called.items() if one != chosen}
    lines: list[tuple[str, ...]] = []
    sections = []
    for name in places:
        for one, label in others.items():
            if own := found.get((name, one)):
                lines.append((name, label, *_differences(plan, [own], [found[name, chosen]])))
        sections.append(len(lines) - 1)
    if len(averaged) > 1:
        for one, label in others.items():
            whole = [found.get((name, one), []) for name in averaged]
            lines.append(("average", label, *_differences(plan, whole, [found[name, chosen] for name in averaged])))
    return Table(
        title,
        ("data set", "method", *(column.heading for column in plan.columns), "pairs"),
        without_repeats(lines),
        f"Differences to {called[chosen]} in points, run by run with the same seeds: mean ± half its 95 % interval, "
        "and p of the two-sided paired t test, which there is where differences vary. Harmonic means are those of the "
        f"single runs. Pairs: the seeds that both sides have{'.' if plan.drawn else ', all where nothing is learned.'}",
        tuple(sections),
    )


def _differences(plan: Layout, one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]) -> list[str]:
    compared = [_compared(plan, column, one, other) for column in plan.columns]
    return [*(_shown(comparison) for comparison, _ in compared), said_seeds(seeds for _, seeds in compared if seeds)]


def _compared(
    plan: Layout, column: Column | Balance, one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]
) -> tuple[Comparison | None, Sequence[Seeds]]:
    """Over the seeds that all have in common; averages over data sets are made first, then those over data seeds."""
    trained = [row.trial for rows in (*one, *other) for row in rows if row.trainable]
    known = {(trial.run.data_seed, trial.run.init_seed) for trial in trained} or {(0, 0)}
    sides = [[_values(plan, column, rows, known) for rows in side] for side in (one, other)]
    common = sorted(set.intersection(*(set(own) for side in sides for own in side)))
    if not common:
        return None, []
    means = [by_data_seed({seeds: sum(own[seeds] for own in side) / len(side) for seeds in common}) for side in sides]
    return compare(*means), common


def _values(plan: Layout, column: Column | Balance, rows: Sequence[Row], known: Iterable[Seeds]) -> dict[Seeds, float]:
    """What is not learned, on what is not drawn, is the same for every one of the known seeds."""
    found = _of_runs(plan, column, rows)
    if found and not plan.drawn and all(row.trainable == 0 for row in rows):
        return dict.fromkeys(known, next(iter(found.values())))
    return found


def _of_runs(plan: Layout, column: Column | Balance, rows: Sequence[Row]) -> dict[Seeds, float]:
    if isinstance(column, Column):
        return column.values(rows)
    parts = {each.heading: each.values(rows) for each in plan.columns if isinstance(each, Column)}
    base, novel = parts[column.base], parts[column.novel]
    found = {
        seeds: column.of({column.base: base[seeds], column.novel: novel[seeds]}) for seeds in base.keys() & novel.keys()
    }
    return {seeds: value for seeds, value in found.items() if value is not None}


def _shown(comparison: Comparison | None) -> str:
    if comparison is None:
        return ABSENT
    difference = comparison.difference
    if difference.margin is None:
        return f"{difference.mean:+.1f}"
    p = ABSENT if comparison.p is None else "< 0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}"
    return f"{difference.mean:+.1f} ± {difference.margin:.1f}, p {p}"
