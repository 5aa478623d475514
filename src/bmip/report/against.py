"""Every method against one of them, pair by pair over the same seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from bmip.metrics import Comparison, compare
from bmip.report.columns import Balance, Column, Seeds
from bmip.report.lines import ABSENT, Layout, Variant, cells, circumstances, labels, places_of, variant
from bmip.report.table import Table, without_repeats
from bmip.report.tables import grouped, layout
from bmip.results import Row


def against_tables(rows: Iterable[Row], reference: str) -> list[Table]:
    """`reference` is what its line is called in the tables, such as "zero-shot".

    Raises ValueError where there is no such line.
    """
    found = []
    for members in grouped(rows):
        key = partial(variant, shots=members[0].trial.protocol != "few-shot")
        called = labels(members, key)
        chosen = [one for one, label in called.items() if label == reference]
        if not chosen:
            raise ValueError(f"{reference!r} is no line of the table: there are {', '.join(called.values())}")
        found.append(_table(members, layout(members), cells(members, key), called, chosen[0], reference))
    return found


def _table(
    rows: Sequence[Row],
    plan: Layout,
    found: Mapping[tuple[str, Variant], Sequence[Row]],
    called: Mapping[Variant, str],
    chosen: Variant,
    reference: str,
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
        f"{plan.title} against {reference}{circumstances(rows[0], shots=chosen.shots == rows[0].trial.shots)}",
        ("data set", "method", *(column.heading for column in plan.columns)),
        without_repeats(lines),
        f"Differences to {reference} in points, run by run with the same seeds: mean ± half its 95 % interval, and p "
        "of the two-sided paired t test. Harmonic means are those of the single runs.",
        tuple(sections),
    )


def _differences(plan: Layout, one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]) -> list[str]:
    return [_shown(_compared(plan, column, one, other)) for column in plan.columns]


def _compared(
    plan: Layout, column: Column | Balance, one: Sequence[Sequence[Row]], other: Sequence[Sequence[Row]]
) -> Comparison | None:
    """Over the seeds that all have in common; averages over data sets are made first."""
    values = [_values(plan, column, rows) for rows in (*one, *other)]
    common = sorted(set.intersection(*(set(own) for own in values)))
    if not common:
        return None
    means = [[sum(own[seeds] for own in side) / len(side) for seeds in common] for side in _halves(values)]
    return compare(*means)


def _halves(values: Sequence[dict[Seeds, float]]) -> tuple[Sequence[dict[Seeds, float]], Sequence[dict[Seeds, float]]]:
    middle = len(values) // 2
    return values[:middle], values[middle:]


def _values(plan: Layout, column: Column | Balance, rows: Sequence[Row]) -> dict[Seeds, float]:
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
    if difference.margin is None or comparison.p is None:
        return f"{difference.mean:+.1f}"
    p = "p < 0.001" if comparison.p < 0.001 else f"p {comparison.p:.3f}"
    return f"{difference.mean:+.1f} ± {difference.margin:.1f}, {p}"
