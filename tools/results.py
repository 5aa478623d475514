"""Writes the tables of the pages in docs anew from the rows beside them: `python -m tools.results`.

The rows of docs/results.md are those of plans/embedded.toml, and those of docs/ablations.md and docs/fidelity.md are of
the plans with their names: `bmip results merge STUDY --out docs/results/NAME.jsonl`, with STUDY
the folder of the study, which knows the labels of the plan.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bmip.experiments.results import Row, read_results
from bmip.report import Table, against_tables, as_markdown, matrix_tables, select, tables
from bmip.report.table_data import table_data
from bmip.report.verdicts import pairs_table
from bmip.studies.expand import expand
from bmip.studies.plan import read_plan
from bmip.system.files import write_text
from bmip.system.messages import counted

DOCS = Path(__file__).parents[1] / "docs"
PLANS = DOCS.parent / "plans"
PAGES: Mapping[Path, Path] = {
    DOCS / "results.md": DOCS / "results" / "embedded.jsonl",
    DOCS / "ablations.md": DOCS / "results" / "ablations.jsonl",
    DOCS / "fidelity.md": DOCS / "results" / "fidelity.jsonl",
}
"""The rows of each page."""

PLACE = re.compile(
    r"(<!-- (?P<kind>matrix|averages|pairs)(?: against (?P<rival>[\w+-]+))?: (?P<protocol>[\w-]+)"
    r"(?: of (?P<methods>[\w+ -]+?))?(?: on (?P<data>[\w -]+?))? -->\n).*?(<!-- end -->)",
    re.DOTALL,
)
"""Where tables stand in a page, such as

<!-- matrix: base-to-novel of zero-shot bmip on clothes digits -->   methods times data sets
<!-- averages: few-shot -->                                          the averages over data sets
<!-- averages against bmip: validation -->                           and how each method's average differs from BMIP's
<!-- pairs: base-to-novel -->                                        who beats whom
"""


ORIGIN = re.compile(r"(<!-- origin: plans/(?P<plan>\w+)\.toml -->\n).*?(<!-- end -->)", re.DOTALL)
"""Where a page says how many trials of a plan its rows are, and what made them."""


def filled(page: str, rows: Sequence[Row]) -> str:
    """The page with the tables of these rows in its places, and with where they come from."""

    def between(place: re.Match[str]) -> str:
        methods, data = ((place[name] or "").split() for name in ("methods", "data"))
        own = select(rows, data, methods, protocols=[place["protocol"]])
        shown = KINDS[place["kind"]](own)
        if place["rival"]:
            shown = [*shown, *map(_of_averages, against_tables(own, place["rival"])[0])]
        return place[1] + "\n" + "".join(f"{as_markdown(table)}\n\n" for table in shown) + "<!-- end -->"

    page = ORIGIN.sub(lambda place: f"{place[1]}\n{origin(rows, place['plan'])}\n\n{place[3]}", page)
    return PLACE.sub(between, page)


def origin(rows: Sequence[Row], plan: str) -> str:
    """How many trials of the plan these rows are, the time that they took, and the code and machines that made them."""
    planned = {one.trial for one in expand(read_plan(PLANS / f"{plan}.toml"))}
    done = sum(row.trial in planned for row in rows)
    others = f" and {len(rows) - done:,} others" if done < len(rows) else ""
    trainings = {row.trial.run: row.training_seconds for row in rows}  # protocols and targets share one
    hours = (sum(trainings.values()) + sum(row.evaluation_seconds for row in rows)) / 3600
    return (
        f"{done:,} of the {len(planned):,} trials of `plans/{plan}.toml`{others}: {hours:.1f} hours of work, on "
        f"{_named(rows, _machine)}; torch {_named(rows, lambda row: row.environment['torch'])}; commits of the "
        f"package, with the number of rows where there are several: {_named(rows, _code)}."
    )


def _machine(row: Row) -> str:
    return f"{row.environment['processor']}, {counted(row.environment['threads'], 'thread')}"


def _code(row: Row) -> str:
    return f"{row.environment['commit'][:10]}{' and uncommitted changes' if row.environment['dirty'] else ''}"


def _named(rows: Sequence[Row], name: Callable[[Row], str]) -> str:
    """Each name with its number of rows, the most frequent first."""
    found = Counter(map(name, rows)).most_common()
    return found[0][0] if len(found) == 1 else ", ".join(f"{one} ({count:,})" for one, count in found)


def _averages(rows: Sequence[Row]) -> list[Table]:
    return [_of_averages(table) for table in tables(rows)]


def _pairs(rows: Sequence[Row]) -> list[Table]:
    return [table for data in table_data(rows) if (table := pairs_table(data)) is not None]


KINDS: Mapping[str, Callable[[Sequence[Row]], list[Table]]] = {
    "matrix": matrix_tables,
    "averages": _averages,
    "pairs": _pairs,
}


def _of_averages(table: Table) -> Table:
    start = next(place for place, line in enumerate(table.rows) if line[0] == "average")
    bold = frozenset((row - start, column) for row, column in table.bold if row >= start)
    return replace(table, rows=table.rows[start:], sections=(), bold=bold)


if __name__ == "__main__":
    for page, rows in PAGES.items():
        if rows.exists():
            write_text(page, filled(page.read_text(encoding="utf-8"), read_results([rows])))
