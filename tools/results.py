"""Writes the tables of docs/results.md anew from the rows beside it: `python -m tools.results`.

The rows are those of plans/embedded.toml: `bmip results merge STUDY/results.jsonl --out docs/results/embedded.jsonl`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bmip.experiments.results import Row, read_results
from bmip.report import as_markdown, select, tables, verdict_tables
from bmip.system.files import write_text

PAGE = Path(__file__).parents[1] / "docs" / "results.md"
ROWS = PAGE.with_suffix("") / "embedded.jsonl"
PLACE = re.compile(r"(<!-- tables: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where the tables of a protocol stand in the page."""


def filled(page: str, rows: Sequence[Row]) -> str:
    """The page with the tables of these rows in its places."""

    def between(place: re.Match[str]) -> str:
        own = select(rows, [], [], protocols=[place[2]])
        shown = [as_markdown(table) for table in (*tables(own), *verdict_tables(own))]
        return place[1] + "\n" + "".join(f"{text}\n\n" for text in shown) + place[3]

    return PLACE.sub(between, page)


if __name__ == "__main__":
    write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), read_results([ROWS])))
