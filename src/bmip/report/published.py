"""Published numbers with their sources, and tables that put ours beside them.

Published numbers are never stored as rows of results.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from bmip.experiments.default_data import TARGETS
from bmip.experiments.results import Row
from bmip.report.labels import NAMED, Variant
from bmip.report.places import Place
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData, table_data
from bmip.run_spec import HALF, Value
from bmip.system.messages import first_few

AVERAGE = "average"
"""Stands for a data set: the average over all data sets of the benchmark, without the source of a transfer."""

BENCHMARK = ("imagenet", *TARGETS["imagenet"])
"""The eleven data sets that base-to-novel, few-shot and open-world are averaged over."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """The numbers of one method from one source."""

    method: str
    """The name of the method in rows of results; any name for a method that is not in this package."""

    name: str
    """The name of the method in the paper."""

    protocol: str
    """The name of the protocol, or "ablation"."""

    measures: tuple[str, ...]
    """The headings of the columns that the numbers belong to."""

    numbers: Mapping[str, tuple[float, ...]]
    """For each data set, or `average`, one number in percent for each measure."""

    status: Literal["read", "recalled"]
    """Whether the numbers were read at the source, or recalled and checked by arithmetic; a note says where not."""

    source: str
    """The paper or repository, and the table in it."""

    note: str = ""
    """What to know before comparing; empty for nothing."""

    beyond: str = ""
    """What the method used beyond the few labelled images and the class names: sentences of a language model, settings
    of each data set's own, images without labels, a larger teacher. Empty for nothing that is known of."""

    trained_on: str = ""
    """The source data set of a transfer; empty for other protocols."""

    options: Mapping[str, Value] = field(default_factory=dict)
    """The options that a row must have as well, where they make another method of it, as those of a variant do."""


def averaged_over(table: Published) -> tuple[str, ...]:
    """The data sets that its average is over."""
    if not table.trained_on:
        return BENCHMARK
    return tuple(data for data in table.numbers if data not in (table.trained_on, AVERAGE))


@cache
def published() -> tuple[Published, ...]:
    """All published numbers of this package, in the order of their files."""
    files = sorted(Path(__file__).with_name("published_numbers").glob("*.toml"))
    found = []
    for entry in (one for file in files for one in tomllib.loads(file.read_text(encoding="utf-8"))["table"]):
        numbers = {data: tuple(values) for data, values in entry["numbers"].items()}
        found.append(Published(**{**entry, "measures": tuple(entry["measures"]), "numbers": numbers}))
    return tuple(found)


SHOTS = 16
"""The training images per class of every published number that does not name its shots."""


def beside_published(rows: Iterable[Row]) -> list[Table]:
    """Tables of our numbers beside the published ones, for those tables of the rows that have any."""
    found = []
    for data in table_data(rows):
        trial, source = data.rows[0].row.trial, data.layout.source
        known = [
            paper
            for paper in published()
            if paper.protocol == trial.protocol and (not paper.trained_on or Place(paper.trained_on) == source)
        ]
        if trial.run.base == HALF and (data.layout.shots_in_columns or trial.run.shots == SHOTS):
            lines, lacking = _lines(data, known)
            if lines:
                title = f"{data.layout.title}, ours and published{data.circumstances}"
                found.append(_table(title, lines, lacking))
    return found


def _lines(data: TableData, known: Sequence[Published]) -> tuple[list[tuple[str, ...]], list[str]]:
    """The lines, and the data sets that are missing for an average. Older versions of a data set have no lines."""
    lines: list[tuple[str, ...]] = []
    lacking: set[str] = set()
    for name in (*(place.name for place in data.places if not place.older), AVERAGE):
        for one, label in data.labels.items():
            for paper in _of(one, known):
                if name not in paper.numbers:
                    continue
                asked = list(map(Place, averaged_over(paper) if name == AVERAGE else [name]))
                ours = data.summaries(one, asked)
                if name == AVERAGE:
                    lacking |= {place.name for place in asked if (place, one) not in data.cells}
                for measure, theirs in zip(paper.measures, paper.numbers[name], strict=True):
                    if measure in ours:
                        numbers = f"{ours[measure].mean:.2f}", f"{theirs:.2f}", f"{ours[measure].mean - theirs:+.2f}"
                        note = f" ({paper.note})" if paper.note else ""
                        source = f"{paper.status}: {paper.source}{note}"
                        lines.append((name, label, measure, *numbers, paper.beyond or "–", source))
    return lines, sorted(lacking)


def _of(one: Variant, known: Iterable[Published]) -> list[Published]:
    """The numbers of the method in this line; those of a variant alone, if the line has its options."""
    own = dict(one.options).items()
    fitting = [paper for paper in known if paper.method == one.method and paper.options.items() <= own]
    return [paper for paper in fitting if not any(paper.options.items() < other.options.items() for other in fitting)]


def _table(title: str, lines: Sequence[tuple[str, ...]], lacking: Sequence[str]) -> Table:
    caption = (
        "Published numbers are for ViT-B/16 with OpenAI's weights. Ours are means over seeds; their 95 % CIs are in "
        "the table of results. Recalled numbers were checked by arithmetic at most: read the paper before quoting one. "
        "Averages, ours too, are over the data sets of the published ones."
    )
    if lacking:
        caption += f" Where there is none, the results lack some of these: {first_few(lacking, NAMED)}."
    return Table(
        title,
        ("data set", "method", "in %", "ours", "published", "difference", "extra information of theirs", "source"),
        without_repeats(lines),
        caption,
    )
