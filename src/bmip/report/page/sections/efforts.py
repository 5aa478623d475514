"""Accuracy against what it costs: trained parameters, seconds, memory."""

from __future__ import annotations

from collections.abc import Callable

from bmip.experiments.results import Row
from bmip.report.labels import Variant
from bmip.report.lines import ABSENT, without_average
from bmip.report.page.content import Absent, Block, Picture, Section, Sheet
from bmip.report.page.figures import count_by_tens, finished, name_panel, panels
from bmip.report.page.judged import with_most_shots
from bmip.report.page.material import Material, headline, title_with_shots
from bmip.report.table import Table
from bmip.report.table_data import TableData

Measure = Callable[[Row], float | None]
MEANS = "Costs are means over the data sets, of means over the runs on each."


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


def _evaluation(row: Row) -> float | None:
    return row.evaluation_seconds or None


AXES: tuple[tuple[str, Measure], ...] = (
    ("trained parameters", lambda row: float(row.trainable)),
    ("seconds of training", lambda row: row.training_seconds),
    ("most memory held, in GiB", _memory),
)


def _mean(data: TableData, one: Variant, measure: Measure) -> float | None:
    """The mean over the data sets of what the runs there took; None where a result, or what it took, is lacking.

    Runs that took no time are copies of another seed's (`StoredRows.of_another_seed`).
    """
    if data.lacking(one):
        return None
    means = []
    for place in data.averaged:
        found = [measure(row) for row in with_most_shots(data, data.cells[place, one]) if row.seconds]
        known = [value for value in found if value is not None]
        if not found or len(known) < len(found):
            return None
        means.append(sum(known) / len(known))
    return sum(means) / len(means)


def _picture(material: Material, data: TableData, name: str) -> Picture:
    column = headline(data.layout).heading
    figure, axes = panels(len(AXES))
    for panel, (heading, measure) in zip(axes, AXES, strict=True):
        name_panel(panel, "", heading, f"{column}, in %")
        for one, label in data.labels.items():
            look, where = material.looks[label], _mean(data, one, measure)
            number = data.summaries(one, data.averaged).get(column)
            if number is None:
                continue
            if not _trained(data, one):
                panel.axhline(number.mean, color=look.colour, linestyle="--", linewidth=1.2, label=label)
            elif where is not None:
                style = {**look.style(), "linestyle": "none", "markersize": 6}
                panel.errorbar(where, number.mean, number.margin, label=label, capsize=2, **style)
        if heading != AXES[-1][0]:
            count_by_tens(panel)
    title = title_with_shots(data)
    return Picture(
        name,
        finished(figure),
        f"{column} over trained parameters, over seconds of training and over memory in {title}.",
        f"{title}: the mean over all its data sets with 95 % CIs; a line that lacks results of others is not drawn. "
        f"Dashed: what is not trained. {MEANS}",
    )


def _table(data: TableData) -> Table:
    machines = {one.row.environment.get("gpu") or one.row.environment.get("processor") for one in data.rows}
    several = "" if len(machines) < 2 else f" The rows come from {len(machines)} kinds of machines: compare with care."
    return Table(
        f"Costs: {title_with_shots(data)}",
        ("method", "trained parameters", "seconds of training", "seconds of evaluation", "GiB of memory"),
        tuple(_line(data, one) for one in data.labels),
        f"{MEANS} Memory is the most that the process held at one time, backbone and libraries included; on a "
        f"GPU, the most that torch held there.{several}{without_average(data)}",
    )


def _line(data: TableData, one: Variant) -> tuple[str, ...]:
    trained = _trained(data, one)
    counts = [f"{count:,}" for count in sorted({min(trained), max(trained)})] if trained else ["0"]
    training = _mean(data, one, lambda row: row.training_seconds) if trained else None
    evaluation, memory = _mean(data, one, _evaluation), _mean(data, one, _memory)
    return (
        data.labels[one],
        " to ".join(counts),
        *(ABSENT if value is None else f"{value:.1f}" for value in (training, evaluation)),
        ABSENT if memory is None else f"{memory:.2f}",
    )


def _trained(data: TableData, one: Variant) -> set[int]:
    """The numbers of trained parameters of a line, which may depend on the data set; none of what is not trained."""
    own = [rows for (_, other), rows in data.cells.items() if other == one]
    most = {row.trainable for rows in own for row in with_most_shots(data, rows) if row.trainable}
    return most or {row.trainable for rows in own for row in rows if row.trainable}
