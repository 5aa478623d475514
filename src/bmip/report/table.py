"""A table of texts, and how it looks on the terminal and in a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.markup import escape
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True)
class Table:
    """A table of texts: every cell is as it is printed."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    sections: tuple[int, ...] = ()
    """The positions of the rows that end a section: a rule is drawn below them on the terminal."""

    bold: frozenset[tuple[int, int]] = frozenset()
    """The row and the column of each cell that is printed in bold."""

    def is_of_numbers(self, column: int) -> bool:
        """Whether each cell of a column begins with a number or says that there is none; never so of the first one."""
        return column > 0 and all(_NUMBER.match(row[column]) for row in self.rows)


_NUMBER = re.compile(r"\s*(<?\s*[+−-]?\d|–?\s*$)")


def as_rich(table: Table) -> RichTable:
    """The table for the terminal."""
    drawn = RichTable(
        box=box.SIMPLE_HEAD,
        title=escape(table.title),
        title_justify="left",
        title_style="bold",
        caption=escape(table.caption),
        caption_justify="left",
        pad_edge=False,
    )
    for position, column in enumerate(table.columns):
        justify = "right" if table.is_of_numbers(position) else "left"
        drawn.add_column(escape(column), justify=justify, no_wrap=position < 2)
    for position, row in enumerate(table.rows):
        cells = [Text(cell, "bold" if (position, column) in table.bold else "") for column, cell in enumerate(row)]
        drawn.add_row(*cells, end_section=position in table.sections)
    return drawn


def as_markdown(table: Table) -> str:
    """The table for a document in Markdown."""

    def line(cells: Iterable[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

    marks = ["---:" if table.is_of_numbers(position) else "---" for position in range(len(table.columns))]
    rows = [
        [f"**{cell}**" if (position, column) in table.bold else cell for column, cell in enumerate(row)]
        for position, row in enumerate(table.rows)
    ]
    body = [line(table.columns), line(marks), *map(line, rows)]
    return "\n".join([f"**{table.title}**", "", *body, "", table.caption])


def without_repeats(lines: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The lines with the first cell emptied wherever it repeats the one above."""
    before = [None, *(line[0] for line in lines)]
    return tuple(("" if line[0] == last else line[0], *line[1:]) for last, line in zip(before, lines, strict=False))
