"""Writes the tables of the pages in docs anew from the rows beside them: `python -m tools.results`.

The rows of docs/results.md are those of plans/embedded.toml, and those of docs/ablations.md and docs/fidelity.md are of
the plans with their names: `bmip results merge STUDY/results.jsonl --out docs/results/NAME.jsonl`.
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
    DOCS / "fidelity.md": DOCS / "results" / "fidelity.jsonl",
}
"""The rows of each page."""

PLACE = re.compile(
    r"(<!-- (?P<kind>tables|averages)(?: against (?P<rival>[\w+-]+))?: (?P<protocol>[\w-]+)"
    r"(?: of (?P<methods>[\w+ -]+?))?(?: on (?P<data>[\w -]+?))? -->\n).*?(<!-- end -->)",
    re.DOTALL,
)
"""Where tables stand in a page, such as

<!-- tables: base-to-novel of zero-shot bmip on clothes digits -->          and who beats whom
<!-- tables against bmip: open-world -->                                     and how each method differs from BMIP
<!-- averages against bmip: validation -->                                   the averages over data sets of these alone
"""


def filled(page: str, rows: Sequence[Row]) -> str:
    """The page with the tables of these rows in its places."""

    def between(place: re.Match[str]) -> str:
        methods, data = ((place[name] or "").split() for name in ("methods", "data"))
        own, rival = select(rows, data, methods, protocols=[place["protocol"]]), place["rival"]
        shown = [*tables(own), *(against_tables(own, rival)[0] if rival else verdict_tables(own))]
        if place["kind"] == "averages":
            shown = [_of_averages(table) for table in shown]
        return place[1] + "\n" + "".join(f"{as_markdown(table)}\n\n" for table in shown) + "<!-- end -->"

    return PLACE.sub(between, page)


def _of_averages(table: Table) -> Table:
    start = next(place for place, line in enumerate(table.rows) if line[0] == "average")
    bold = frozenset((row - start, column) for row, column in table.bold if row >= start)
    return replace(table, rows=table.rows[start:], sections=(), bold=bold)


if __name__ == "__main__":
    for page, rows in PAGES.items():
        if rows.exists():
            write_text(page, filled(page.read_text(encoding="utf-8"), read_results([rows])))
