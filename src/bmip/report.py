"""Tables from rows of results: pure functions, whatever the order of the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table as RichTable

from bmip.metrics import Summary, harmonic_mean, summarise
from bmip.protocols.trial import Trial
from bmip.results import Row

ABSENT = "–"


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    sections: tuple[int, ...] = ()
    """Rows below which a line is drawn."""


def tables(rows: Iterable[Row]) -> list[Table]:
    """One for each protocol, number of shots and backbone among the rows."""
    groups: dict[tuple[str, int, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.trial.protocol, row.trial.shots, row.trial.backbone, row.backbone].append(row)
    return [_TABLES.get(protocol, counts_table)(members) for (protocol, *_), members in sorted(groups.items())]


_BASE_NOVEL = (
    "Base classes are those trained on; base and novel images are each classified among their own classes. Mean over "
    "seeds ± half the 95 % interval (Student's t). The harmonic mean in a line is that of the line's two averages."
)


def base_to_novel_table(rows: Sequence[Row]) -> Table:
    """Accuracy on base and novel classes per data set and method, and their averages over data sets."""
    return _base_novel_table(rows, "Base to novel", f"Test accuracy in %. {_BASE_NOVEL}")


def validation_table(rows: Sequence[Row]) -> Table:
    return _base_novel_table(rows, "Search", f"Accuracy in % on validation images, no results. {_BASE_NOVEL}")


def _base_novel_table(rows: Sequence[Row], title: str, caption: str) -> Table:
    cells = _cells(rows)
    labels = _labels(rows)
    data = sorted({name for name, _ in cells})
    columns = ("data set", "method", "base", "novel", "harmonic mean", "seeds", "trained values")
    lines: list[tuple[str, ...]] = []
    sections = []
    for name in data:
        for variant, label in labels.items():
            if found := cells.get((name, variant)):
                lines.append((name, label, *_base_novel(found), str(len(found)), f"{found[0].learned:,}"))
        sections.append(len(lines) - 1)
    if len(data) > 1:
        for variant, label in labels.items():
            lines.append(("average", label, *_average(cells, data, variant), "", ""))
    return Table(
        f"{title}{_circumstances(rows)}",
        columns,
        _without_repeats(lines),
        caption + (" The last lines average over all data sets." if len(data) > 1 else ""),
        tuple(sections),
    )


def counts_table(rows: Sequence[Row]) -> Table:
    """Whatever was judged, a column each: for protocols without a table of their own."""
    cells, labels = _cells(rows), _labels(rows)
    parts = sorted({part for row in rows for part in row.counts})
    lines = []
    for name, variant in sorted(cells, key=lambda cell: (cell[0], list(labels).index(cell[1]))):
        found = cells[name, variant]
        judged = [
            _number(_summary(found, part)) if all(part in row.counts for row in found) else ABSENT for part in parts
        ]
        lines.append((name, labels[variant], *judged, str(len(found))))
    title = rows[0].trial.protocol.replace("-", " ").capitalize()
    return Table(
        title + _circumstances(rows),
        ("data set", "method", *parts, "seeds"),
        _without_repeats(lines),
        "Accuracy in %. Mean over seeds ± half the 95 % interval (Student's t).",
    )


_TABLES: Mapping[str, Callable[[Sequence[Row]], Table]] = {
    "base-to-novel": base_to_novel_table,
    "validation": validation_table,
}


def as_rich(table: Table) -> RichTable:
    """For the terminal."""
    drawn = RichTable(
        box=box.SIMPLE_HEAD,
        title=table.title,
        title_justify="left",
        title_style="bold",
        caption=table.caption,
        caption_justify="left",
        pad_edge=False,
    )
    for position, column in enumerate(table.columns):
        drawn.add_column(column, justify="left" if position < 2 else "right", no_wrap=position < 2)
    for position, row in enumerate(table.rows):
        drawn.add_row(*row, end_section=position in table.sections)
    return drawn


def as_markdown(table: Table) -> str:
    """For a document; columns of numbers are set to the right."""

    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

    marks = ["---" if position < 2 else "---:" for position in range(len(table.columns))]
    body = [line(table.columns), line(marks), *map(line, table.rows)]
    return "\n".join([f"**{table.title}**", "", *body, "", table.caption])


Variant = Trial
"""A trial without data set and seeds: one line of a table."""


def _cells(rows: Iterable[Row]) -> dict[tuple[str, Variant], list[Row]]:
    """Rows that differ in their seeds alone, in the order of the seeds."""
    cells: dict[tuple[str, Variant], list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.trial.data_seed, row.trial.init_seed)):
        cells[row.trial.data, row.trial.variant()].append(row)
    return cells


def _labels(rows: Iterable[Row]) -> dict[Variant, str]:
    """What each line is called, with as much of its settings as tells it from the others.

    Untrained methods come first and this package's own last.
    """
    untrained = {row.trial.variant() for row in rows if row.learned == 0}
    variants = sorted(
        {row.trial.variant() for row in rows}, key=lambda v: (v not in untrained, v.method.startswith("bmip"), repr(v))
    )
    labels = {}
    for variant in variants:
        same = [other for other in variants if other.method == variant.method]
        label = variant.method.replace("_", "-")
        if len({other.preset for other in same}) > 1:
            label += f" ({variant.preset})"
        same = [other for other in same if other.preset == variant.preset]
        common = set.intersection(*(set(other.options) | set(other.training) for other in same))
        own = [f"{name}={value}" for name, value in variant.options + variant.training if (name, value) not in common]
        labels[variant] = " ".join([label, *own])
    return labels


def _base_novel(rows: Sequence[Row]) -> tuple[str, str, str]:
    base, novel = (_summary(rows, part) for part in ("base", "novel"))
    return _number(base), _number(novel), f"{harmonic_mean(base.mean, novel.mean):.1f}"


def _summary(rows: Sequence[Row], part: str) -> Summary:
    """Over seeds; where nothing is drawn they are one and the same result."""
    percent = [row.counts[part].percent for row in rows]
    return summarise(percent[:1] if all(row.learned == 0 for row in rows) else percent)


def _average(
    cells: Mapping[tuple[str, Variant], Sequence[Row]], data: Sequence[str], variant: Variant
) -> tuple[str, str, str]:
    """Over data sets first, for each pair of seeds, then over seeds; over the means where the seeds differ."""
    if any((name, variant) not in cells for name in data):
        return ABSENT, ABSENT, ABSENT
    found = [cells[name, variant] for name in data]
    seeds = [[(row.trial.data_seed, row.trial.init_seed) for row in rows] for rows in found]
    averages = []
    for part in ("base", "novel"):
        percent = [[row.counts[part].percent for row in rows] for rows in found]
        if all(row.learned == 0 for rows in found for row in rows):
            averages.append(Summary(_mean([values[0] for values in percent]), None, 1))
        elif all(own == seeds[0] for own in seeds):
            averages.append(summarise([_mean(values) for values in zip(*percent, strict=True)]))
        else:
            averages.append(Summary(_mean([_mean(values) for values in percent]), None, 1))
    base, novel = averages
    return _number(base), _number(novel), f"{harmonic_mean(base.mean, novel.mean):.1f}"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _number(summary: Summary) -> str:
    return f"{summary.mean:.1f}" if summary.margin is None else f"{summary.mean:.1f} ± {summary.margin:.1f}"


def _circumstances(rows: Sequence[Row]) -> str:
    trial = rows[0].trial
    shots = f"{trial.shots} shots" if trial.shots else "all training images"
    return f", {shots}, {trial.backbone} ({rows[0].backbone[:8]})"


def _without_repeats(lines: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The first cell only where it changes."""
    before = [None, *(line[0] for line in lines)]
    return tuple(("" if line[0] == last else line[0], *line[1:]) for last, line in zip(before, lines, strict=False))
