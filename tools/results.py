"""Writes the tables of the pages in docs anew from the rows beside them: `python -m tools.results`.

The rows of docs/results.md are those of plans/embedded.toml, and those of docs/ablations.md of plans/ablations.toml:
`bmip results merge STUDY/results.jsonl --out docs/results/NAME.jsonl`, where NAME is the plan's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bmip.experiments.results import Row, read_results
from bmip.report import Table, against_tables, as_markdown, select, tables, verdict_tables
from bmip.system.files import write_text

DOCS = Path(__file__).parents[1] / "docs"
PAGES: Mapping[Path, Path] = {
    DOCS / "results.md": DOCS / "results" / "embedded.jsonl",
    DOCS / "ablations.md": DOCS / "results" / "ablations.jsonl",
}
"""The rows of each page."""

PLACE = re.compile(r"(<!-- (tables|averages): ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where the tables of a protocol stand in a page: all of them, or the averages alone and their differences to BMIP."""


def filled(page: str, rows: Sequence[Row]) -> str:
    """The page with the tables of these rows in its places."""

    def between(place: re.Match[str]) -> str:
        own = select(rows, [], [], protocols=[place[3]])
        shown = [*tables(own), *verdict_tables(own)] if place[2] == "tables" else averages(own)
        return place[1] + "\n" + "".join(f"{as_markdown(table)}\n\n" for table in shown) + place[4]

    return PLACE.sub(between, page)


def averages(rows: Sequence[Row]) -> list[Table]:
    """The last part of each table, which is over all data sets."""
    return [_of_averages(table) for table in (*tables(rows), *against_tables(rows, "bmip")[0])]


def _of_averages(table: Table) -> Table:
    start = next(place for place, line in enumerate(table.rows) if line[0] == "average")
    bold = frozenset((row - start, column) for row, column in table.bold if row >= start)
    return replace(table, rows=table.rows[start:], sections=(), bold=bold)


if __name__ == "__main__":
    for page, rows in PAGES.items():
        if rows.exists():
            write_text(page, filled(page.read_text(encoding="utf-8"), read_results([rows])))
