"""Where the command line prints, and how its tables and progress bars look."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bmip.system.messages import plain

WIDE = 160
"""Columns of what goes to a file or a pipe, so that tables are not folded there."""


def out() -> Console:
    """The console for results, on stdout."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDE, highlight=False, emoji=False)


def err() -> Console:
    """The console for progress, remarks and errors, on stderr."""
    return Console(file=sys.stderr, width=None if sys.stderr.isatty() else WIDE, highlight=False, emoji=False)


def note(text: str) -> None:
    """A remark for the person at the terminal."""
    err().print("\n".join(map(plain, text.splitlines())), style="dim", markup=False, soft_wrap=True)


def line(text: str) -> None:
    """A line on stdout that is never folded."""
    out().print(text, soft_wrap=True, markup=False)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table with these columns, in the style of all tables."""
    made = _Titled(box=box.SIMPLE_HEAD, title=title, title_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")  # two long paths must not look alike
    return made


def add(to: Table, *cells: str) -> None:
    """A row of text in which brackets are brackets, and control characters are seen."""
    to.add_row(*(escape(plain(cell)) for cell in cells))


class _Titled(Table):
    """A table whose title is as wide as the console; rich would fold it to the width of the table."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Any]:
        title, self.title = self.title, None
        try:
            if title:
                yield Text(str(title), self.title_style or "")
            yield from super().__rich_console__(console, options)
        finally:
            self.title = title
