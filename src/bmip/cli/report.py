"""`bmip report RESULTS`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import check_stored
from bmip.cli.command import Command
from bmip.cli.console import note, out

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip report runs/base-to-novel/results.jsonl --markdown")
def report(
    results: common_options.Stored,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Only what was evaluated on these data sets: one or more.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="Only these methods: one or more.", show_default=False, autocompletion=completion.methods),
    ] = None,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Also print tables of everything that was measured.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="METHOD",
            help="Also print the differences to this line of the tables, seed by seed, with a paired t test.",
            show_default=False,
        ),
    ] = None,
    pairs: Annotated[
        bool,
        typer.Option("--pairs", help="Also print who beats whom: every two methods over all data sets and seeds."),
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Also print a table of published numbers beside these.")
    ] = False,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also draw each of the usual tables into this folder.", show_default=False),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write a page with all tables, comparisons and pictures into this folder instead of printing.",
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the page finds the folders of the runs; otherwise it looks beside FILE.",
            exists=True,
            file_okay=False,
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print for a document instead of the terminal.")] = False,
) -> None:
    """Print the tables of stored results, always with all seeds, or write a page of them (--html)."""
    check_stored(results)

    from bmip.cli.result_files import check_rows, source_of
    from bmip.report import (
        against_tables,
        all_metrics,
        as_markdown,
        as_rich,
        beside_published,
        draw_tables,
        tables,
        verdict_tables,
    )

    beside = {
        "--pictures": pictures, "--against": against, "--metrics": metrics, "--pairs": pairs, "--published": published,
        "--markdown": markdown,
    }  # fmt: skip
    if html is not None and (useless := [name for name, value in beside.items() if value]):
        raise ValueError(f"--html writes a page with everything: leave {' and '.join(useless)} out")
    source = source_of(results, runs)
    if not source.planned:
        check_rows(source, results)
    source = source.only(data or [], method or [])
    if html is None:  # a page also says what failed
        check_rows(source, results, [*(method or []), *(data or [])])
    rows = source.rows
    if html is not None:
        from bmip.report.page.page import write_page

        with _warnings_told("page"):
            written = write_page(source, html)
        note(f"page: {written}")
        return
    found = tables(rows)
    if metrics:
        found += all_metrics(rows)
    if against is not None:
        compared, lacking = against_tables(rows, against)
        found += compared
        for text in lacking:
            note(text)
    if pairs:
        found += verdict_tables(rows)
    if published:
        beside = beside_published(rows)
        if not beside:
            note("no published numbers fit: they are for the public data sets (`bmip data list`) and 16 shots")
        found += beside
    for table in found:
        if markdown:
            print(as_markdown(table), end="\n\n")
        else:
            out().print(as_rich(table))
    if pictures is not None:
        with _warnings_told("pictures"):
            paths = draw_tables(rows, pictures)
        for path in paths:
            note(f"picture: {path}")


@contextmanager
def _warnings_told(what: str) -> Iterator[None]:
    """Tells each warning of the lines within once, such as that of a letter that no font has."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        note(f"{what}: {text}")
