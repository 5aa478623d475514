"""The tables of results, with the usual columns or with all of them."""

from __future__ import annotations

from collections.abc import Iterable

from bmip.experiments.results import Row
from bmip.report.columns import Column, counted, scored
from bmip.report.layouts import SEEDS, Layout, parts
from bmip.report.lines import ABSENT, lay_out
from bmip.report.seeds import are_crossed, deviations
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData, arranged, table_data

SCORES = {
    "macro_accuracy": "macro accuracy",
    "top5": "top-5",
    "macro_f1": "macro F1",
    "calibration_error": "ECE",
    "auroc": "AUROC",
    "fpr95": "FPR95",
    "openworld_auc": "OpenworldAUC",
}
"""The heading of each score of a row."""


def tables(rows: Iterable[Row]) -> list[Table]:
    """The table of each `TableData` of the rows.

    Where data seeds met several initialisation seeds, a second table says what each of them changes.
    """
    found = []
    for data in table_data(rows):
        found += [lay_out(data), *_what_seeds_change(data)]
    return found


def all_metrics(rows: Iterable[Row]) -> list[Table]:
    """As `tables`, but each number of shots has its own table, with a column for every number that the rows hold."""
    found = []
    for data in table_data(rows):
        scores = [name for name in SCORES if any(name in one.row.scores for one in data.rows)]
        columns = (*map(counted, parts(data.rows)), *(scored(name, SCORES[name]) for name in scores))
        own = data.layout
        plain = Layout(f"{own.title}, all metrics", columns, f"All in %. {SEEDS}", own.source, own.drawn)
        for shots in sorted({one.row.trial.run.shots for one in data.rows}):
            found.append(lay_out(arranged([one for one in data.rows if one.row.trial.run.shots == shots], plain)))
    return found


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
        "initialisation seeds, of their means over data seeds. Over the data seeds that met every initialisation seed."
    )
    title = f"{data.layout.title}, what seeds change{data.circumstances}"
    return [Table(title, ("data set", "method", *headings), without_repeats(lines), caption)]
