"""Where the command line prints, and how its tables and progress bars look."""

from __future__ import annotations

import sys

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

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
    err().print(text, style="dim", markup=False, soft_wrap=True)


def line(text: str) -> None:
    """A line on stdout that is never folded."""
    out().print(text, soft_wrap=True, markup=False)


def table(*columns: str, title: str | None = None) -> Table:
    """An empty table with these columns, in the style of all tables."""
    plain = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        plain.add_column(column)
    return plain


def add(to: Table, *cells: str) -> None:
    """A row of text in which brackets are brackets."""
    to.add_row(*map(escape, cells))
