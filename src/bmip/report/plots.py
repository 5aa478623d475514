"""Tables as pictures: curves along shots or ratios; for other protocols a dot for each mean with its 95 % CI."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bmip.experiments.results import Row
from bmip.metrics import Summary
from bmip.report.figure import INK, blank, save
from bmip.report.layouts import Layout
from bmip.report.looks import COLOURS, MARKS, Look, looks
from bmip.report.table_data import TableData, table_data

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ACROSS = 3  # panels in a row
WIDTH, CURVES, DOT = 3.6, 2.6, 0.3  # inches
APART = 0.5  # of the place of a method or a heading, over which what stands at one place is spread
LINE, MARK = 0.22, 0.6  # inches of a line of text, and of a mark in the legend
TITLE, LABEL = 0.09, 0.07  # inches of a letter
CAPTION = "Accuracy in %, mean over seeds; bars are 95 % CIs, cut off at 0 and 100 %."

Lines = Mapping[str, Mapping[str, Summary]]
"""The numbers of each method by their headings."""


def draw_tables(rows: Iterable[Row], folder: Path) -> list[Path]:
    """Draws the main tables into PNG files named after their protocols, and returns the paths."""
    taken: Counter[str] = Counter()
    paths = []
    for data in table_data(rows):
        name = data.rows[0].row.trial.protocol
        taken[name] += 1
        paths.append(folder / (f"{name}.png" if taken[name] == 1 else f"{name}-{taken[name]}.png"))
        save(draw_table(data), paths[-1])
    return paths


def draw_table(data: TableData) -> Figure:
    """The picture of one table: a panel for each data set, and one for their average."""
    plan, averaged = data.layout, data.averaged
    wholes = {str(place): [place] for place in data.places} | ({"average": averaged} if len(averaged) > 1 else {})
    panels: dict[str, Lines] = {}
    for heading, places in wholes.items():
        lines = {label: data.summaries(one, places) for one, label in data.labels.items()}
        panels[heading] = {label: numbers for label, numbers in lines.items() if numbers}
    if not panels.get("average"):
        panels.pop("average", None)
    across = min(ACROSS, len(panels))
    down = -(-len(panels) // across)
    tall = CURVES if plan.axis else 0.7 + DOT * max(map(len, panels.values()))
    longest = 0 if plan.axis else max(map(len, data.labels.values()))
    width = max(WIDTH, CURVES + LABEL * longest) * across + 1
    title = textwrap.wrap(plan.title + data.circumstances, int(width / TITLE))
    names = list(data.labels.values()) if plan.axis else list(_pictured(plan))
    columns = max(1, min(len(names), int(width / (LABEL * max(map(len, names)) + MARK))))
    below, above = LINE, LINE * (len(title) + -(-len(names) // columns)) + 0.1
    height = below + tall * down + above
    figure = blank(width, height)
    figure.text(0.01, 1 - 0.05 / height, "\n".join(title), va="top", fontsize=11, color=INK, parse_math=False)
    places_drawn = figure.subplots(down, across, squeeze=False, sharex=not plan.axis).ravel()
    for axes in places_drawn[len(panels) :]:
        axes.set_visible(False)
    look = looks(data.labels.values())
    for axes, (heading, lines) in zip(places_drawn, panels.items(), strict=False):
        axes.set_title(heading, loc="left", fontsize=9, color=INK, parse_math=False)
        axes.tick_params(labelsize=8, colors=INK)
        axes.grid(axis="y" if plan.axis else "x", color="#e9e9ec")
        axes.spines[["top", "right"]].set_visible(False)
        _curves(axes, plan, lines, look) if plan.axis else _dots(axes, plan, lines)
    for axes in places_drawn:
        _within_percent(axes.yaxis if plan.axis else axes.xaxis)
    marks = {text: mark for axes in places_drawn for mark, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    under = 0, 1 - (LINE * len(title) + 0.05) / height
    figure.legend(
        marks.values(), marks.keys(), loc="upper left", bbox_to_anchor=under, fontsize=8, frameon=False, ncols=columns
    )
    figure.text(0.01, 0.01, CAPTION, fontsize=7, color=INK)
    figure.tight_layout(rect=(0, below / height, 1, 1 - above / height))
    return figure


def _pictured(plan: Layout) -> tuple[str, ...]:
    return plan.pictured or tuple(column.heading for column in plan.columns)


def _curves(axes: Any, plan: Layout, lines: Lines, look: Mapping[str, Look]) -> None:
    headings = [column.heading for column in plan.columns]
    for index, (label, numbers) in enumerate(lines.items()):
        aside = _aside(index, len(lines)) / 2
        known = [(place + aside, numbers[heading]) for place, heading in enumerate(headings) if heading in numbers]
        places, values, bars = _points(known)
        axes.errorbar(places, values, bars, label=label, capsize=2, clip_on=False, **look[label].style())
    axes.set_xticks(range(len(headings)), [heading.split()[0] for heading in headings])
    axes.set_xlabel(plan.axis, fontsize=8, color=INK)


def _dots(axes: Any, plan: Layout, lines: Lines) -> None:
    names, headings = list(lines), _pictured(plan)
    for index, heading in enumerate(headings):
        aside = _aside(index, len(headings))
        known = [(place + aside, lines[name][heading]) for place, name in enumerate(names) if heading in lines[name]]
        places, values, bars = _points(known)
        style = {"color": COLOURS[index], "marker": MARKS[index % len(MARKS)], "markersize": 5, "capsize": 2}
        axes.errorbar(values, places, xerr=bars, label=heading, linestyle="none", linewidth=1.2, clip_on=False, **style)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)


def _aside(index: int, count: int) -> float:
    """How far what is drawn as the `index`-th of `count` at one place stands aside, so that no bar hides another."""
    return APART * ((index + 0.5) / count - 0.5)


def _points(known: Sequence[tuple[float, Summary]]) -> tuple[list[float], list[float], tuple[list[float], list[float]]]:
    """Places, means, and the lengths of the bars below and above them, which end at 0 and 100 %."""
    values, margins = [one.mean for _, one in known], [one.margin or 0.0 for _, one in known]
    below = [min(margin, value) for margin, value in zip(margins, values, strict=True)]
    above = [min(margin, 100 - value) for margin, value in zip(margins, values, strict=True)]
    return [place for place, _ in known], values, (below, above)


def _within_percent(axis: Any) -> None:
    """Limits an axis to 0..100 %, once all that stands along it is drawn."""
    low, high = axis.get_view_interval()
    axis.axes.set(**{f"{axis.axis_name}lim": (max(0.0, low), min(100.0, high))})
