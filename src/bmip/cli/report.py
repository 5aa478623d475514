"""`bmip report RESULTS`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmip.cli.printing import out
from bmip.report import as_markdown, as_rich, tables
from bmip.results import Results

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: bmip report runs/base-to-novel/results.jsonl --markdown")
def report(
    results: Annotated[list[Path], typer.Argument(help="Files of rows that `bmip run` wrote.")],
    markdown: Annotated[bool, typer.Option("--markdown", help="For a document instead of the terminal.")] = False,
) -> None:
    """Print the tables of stored results, from the files alone."""
    rows = [row for file in results for row in Results(file).rows()]
    if not rows:
        raise ValueError(f"{', '.join(map(str, results))} holds no results: run a protocol first (`bmip run --help`)")
    for table in tables(rows):
        if markdown:
            print(as_markdown(table), end="\n\n")
        else:
            out().print(as_rich(table))
