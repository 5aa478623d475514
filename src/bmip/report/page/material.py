"""What all sections are made from: the tables of the rows, the files of their runs, and a look for each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bmip.experiments.results import Row
from bmip.report.columns import Balance, Column
from bmip.report.layouts import Layout
from bmip.report.looks import Look, looks
from bmip.report.page.judged import Judged, judged, most_shots
from bmip.report.page.runs import Runs
from bmip.report.source import Source
from bmip.report.table_data import TableData, table_data
from bmip.run_spec import shots_text


@dataclass(frozen=True)
class Material:
    """The source with what follows from it."""

    source: Source

    @cached_property
    def tables(self) -> Sequence[TableData]:
        """The rows, sorted into tables."""
        return table_data(self.source.rows)

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """The look of each line, by its name."""
        return looks(label for data in self.tables for label in data.labels.values())

    @cached_property
    def runs(self) -> Runs:
        """The folders of the runs."""
        return Runs(self.source.runs)

    @cached_property
    def judged(self) -> Sequence[tuple[TableData, Sequence[Judged]]]:
        """What is kept of the answers for single images, for the tables of which something is."""
        each = [(data, list(judged(data, self.runs))) for data in self.tables]
        return [(data, found) for data, found in each if found]


def title_of(data: TableData) -> str:
    """The title of a table."""
    return data.layout.title + data.circumstances


def title_with_shots(data: TableData) -> str:
    """The title of what shows rows with the most shots alone, where the table has several numbers of shots."""
    most = most_shots(data)
    return title_of(data) if most is None else f"{title_of(data)}, {shots_text(most)}"


def headline(layout: Layout) -> Column | Balance:
    """The column that says most of a line in one number: the harmonic mean where there is one, otherwise the last."""
    return layout.judged[-1]


def trained_rows(data: TableData) -> list[tuple[str, str, Sequence[Row]]]:
    """Data set, line and rows of all that is trained."""
    return [
        (str(place), label, rows)
        for place in data.places
        for one, label in data.labels.items()
        if (rows := data.cells.get((place, one))) and rows[0].trainable
    ]
