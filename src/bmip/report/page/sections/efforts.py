"""Accuracy against what it costs: trained parameters, seconds, memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bmip.experiments.results import Row
from bmip.report.lines import ABSENT
from bmip.report.page.content import Absent, Block, Picture, Section, Sheet
from bmip.report.page.figures import count_by_tens, finished, name_panel, panels
from bmip.report.page.material import Material, headline, title_of
from bmip.report.table import Table
from bmip.report.table_data import TableData

Measure = Callable[[Row], float | None]


def efforts(material: Material) -> Section | Absent:
    """A table and a picture for each table with trained lines."""
    blocks: list[Block] = []
    for number, data in enumerate(material.tables, 1):
        if any(row.trainable for rows in data.cells.values() for row in rows):
            blocks += [_picture(material, data, f"costs-{number}.svg"), Sheet(_table(data))]
    if not blocks:
        return Absent("Accuracy against costs", "nothing was trained")
    return Section("Accuracy against trained parameters, seconds and memory", blocks)


def _memory(row: Row) -> float | None:
    held = row.peak_memory if row.peak_gpu_memory is None else row.peak_gpu_memory
    return None if held is None else held / 2**30


AXES: tuple[tuple[str, Measure], ...] = (
    ("trained parameters", lambda row: float(row.trainable)),
    ("seconds of training", lambda row: row.training_seconds),
    ("most memory held, in GiB", _memory),
)


def _rows(data: TableData, one: object) -> list[Row]:
    return [row for (_, other), rows in data.cells.items() if other == one for row in rows]


def _mean(rows: Sequence[Row], measure: Measure) -> float | None:
    known = [value for row in rows if (value := measure(row)) is not None]
    return sum(known) / len(known) if known else None


def _picture(material: Material, data: TableData, name: str) -> Picture:
    column = headline(data.layout).heading
    figure, axes = panels(len(AXES))
    for panel, (heading, measure) in zip(axes, AXES, strict=True):
        name_panel(panel, "", heading, f"{column}, in %")
        for one, label in data.labels.items():
            rows, look = _rows(data, one), material.looks[label]
            number = data.summaries(one, data.averaged).get(column)
            where = _mean(rows, measure)
            if number is None:
                continue
            if not rows[0].trainable:
                panel.axhline(number.mean, color=look.colour, linestyle="--", linewidth=1.2, label=label)
            elif where is not None:
                style = {**look.style(), "linestyle": "none", "markersize": 6}
                panel.errorbar(where, number.mean, number.margin, label=label, capsize=2, **style)
        if heading != AXES[-1][0]:
            count_by_tens(panel)
    title = title_of(data)
    return Picture(
        name,
        finished(figure),
        f"{column} over trained parameters, over seconds of training and over memory in {title}.",
        f"{title}: the mean over all its data sets with 95 % CIs; a line that lacks a data set is not drawn. Dashed: "
        "what is not trained. Costs are means over runs.",
    )


def _table(data: TableData) -> Table:
    lines = []
    machines = {
        row.environment.get("gpu") or row.environment.get("processor") for one in data.rows for row in [one.row]
    }
    for one, label in data.labels.items():
        rows = _rows(data, one)
        training, memory = _mean(rows, lambda row: row.training_seconds), _mean(rows, _memory)
        evaluation = [row.evaluation_seconds for row in rows if row.evaluation_seconds]
        lines.append(
            (
                label,
                f"{rows[0].trainable:,}",
                f"{training:.1f}" if rows[0].trainable else ABSENT,
                f"{sum(evaluation) / len(evaluation):.1f}" if evaluation else ABSENT,
                ABSENT if memory is None else f"{memory:.2f}",
            )
        )
    several = "" if len(machines) < 2 else f" The rows come from {len(machines)} kinds of machines: compare with care."
    return Table(
        f"Costs: {title_of(data)}",
        ("method", "trained parameters", "seconds of training", "seconds of evaluation", "GiB of memory"),
        tuple(lines),
        "Means over runs. Memory is the most that the process held at one time, backbone and libraries included; on a "
        f"GPU, the most that torch held there.{several}",
    )
