"""The tables of results, with the usual columns or with all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bmip.experiments.results import Row
from bmip.report.columns import Column, counted, scored
from bmip.report.layouts import SEEDS, Layout, parts
from bmip.report.lines import ABSENT, lay_out
from bmip.report.places import PlacedRow
from bmip.report.seeds import are_crossed, deviations
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData, arranged, table_data
from bmip.system.messages import first_few

PART_SCORES = {
    "macro_accuracy": "macro accuracy",
    "top5": "top-5",
    "macro_f1": "macro F1",
    "calibration_error": "ECE",
}
"""The heading of each score that belongs to one part; its name in rows is that of the part and of the score."""

SCORES = {**PART_SCORES, "auroc": "AUROC", "fpr95": "FPR95", "openworld_auc": "OpenworldAUC"}
"""The heading of each score that stands in rows under its own name."""

ERRORS = ("ECE", "FPR95")
"""The headings of scores that are better when they are lower."""


def tables(rows: Iterable[Row]) -> list[Table]:
    """The table of each `TableData` of the rows.

    Where data seeds were combined with several initialisation seeds, a second table says what each kind changes.
    """
    found = []
    for data in table_data(rows):
        whole = lay_out(data)
        found += [replace(whole, caption=whole.caption + _below_zero_shot(data)), *_what_seeds_change(data)]
    return found


def all_metrics(rows: Iterable[Row]) -> list[Table]:
    """As `tables`, with a column for every number that the rows hold.

    Each number of shots has its own table, and so has each part with scores of its own, such as base and novel classes.
    """
    found = []
    for data in table_data(rows):
        own = data.layout
        for shots in sorted({one.row.trial.run.shots for one in data.rows}):
            members = [one for one in data.rows if one.row.trial.run.shots == shots]
            for part, columns in _every_column(members).items():
                title = f"{own.title}, all metrics{part}"
                plan = Layout(title, columns, f"All in %. {SEEDS}", own.source, own.drawn, preset=own.preset)
                found.append(lay_out(arranged(members, plan)))
    return found


def _every_column(rows: Sequence[PlacedRow]) -> dict[str, tuple[Column, ...]]:
    """The columns of each table, by the end of the table's title."""
    known = {name for one in rows for name in one.row.scores}
    alone = {
        f", {part}": (
            counted(part, "accuracy"),
            *(_scored(f"{part}_{name}", PART_SCORES[name]) for name in PART_SCORES if f"{part}_{name}" in known),
        )
        for part in parts(rows)
        if known & {f"{part}_{name}" for name in PART_SCORES}
    }
    together = *map(counted, parts(rows)), *(_scored(name, SCORES[name]) for name in SCORES if name in known)
    return alone or {"": together}


def _scored(name: str, heading: str) -> Column:
    return scored(name, heading, lower_is_better=heading in ERRORS)


def _below_zero_shot(data: TableData) -> str:
    """A sentence that names the lines and data sets whose mean is below that of zero-shot; empty if there are none.

    Where a table has a harmonic mean of base and novel accuracy, that is compared; otherwise every column.
    """
    reference = next((one for one in data.labels if one.method == "zero_shot"), None)
    if reference is None:
        return ""
    compared = [column.heading for column in data.layout.judged]
    found: dict[str, list[str]] = defaultdict(list)
    for place in data.places:
        plain = data.summaries(reference, [place])
        for one, label in data.labels.items():
            own = data.summaries(one, [place])
            below = [name for name in compared if name in own and name in plain and own[name].mean < plain[name].mean]
            if below and any(row.trainable for row in data.cells[place, one]):
                found[label].append(str(place) if len(compared) == 1 else f"{place} ({', '.join(below)})")
    if not found:
        return ""
    where = f" in {compared[0]}" if len(compared) == 1 else ""
    named = "; ".join(f"{label} on {first_few(places)}" for label, places in found.items())
    return f" Below {data.labels[reference]}{where}: {named}."


def _what_seeds_change(data: TableData) -> list[Table]:
    """A table of standard deviations; none unless a line has data seeds with several initialisation seeds."""
    columns = [column for column in data.layout.columns if isinstance(column, Column)]
    lines = []
    for place in data.places:
        for one, label in data.labels.items():
            own = [row for row in data.cells.get((place, one), ()) if row.trainable or data.layout.drawn]
            values = [column.values(own) for column in columns]
            if any(map(are_crossed, values)):
                each = [number for seeds in values for number in deviations(seeds)]
                shown = [ABSENT if number is None else f"{number:.1f}" for number in each]
                lines.append((str(place), label, *shown))
    if not lines:
        return []
    headings = [f"{column.heading}, {seeds}" for column in columns for seeds in ("data", "init")]
    caption = (
        "Standard deviations in points: between data seeds, of their means over initialisation seeds, and between "
        "initialisation seeds, of their means over data seeds. Only data seeds that were run with every initialisation "
        "seed count."
    )
    title = f"{data.layout.title}, what seeds change{data.circumstances}"
    return [Table(title, ("data set", "method", *headings), without_repeats(lines), caption)]
