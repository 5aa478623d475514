"""The pages of results show the rows that lie beside them."""

from dataclasses import replace
from pathlib import Path

import pytest

from bmip.experiments.results import read_results
from tests.experiments.making import replaced
from tools.results import PAGES, PLACE, averages, filled

SHOWN = {page: rows for page, rows in PAGES.items() if rows.exists()}
PAGE, ROWS = next(iter(SHOWN.items()))


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_a_page_shows_the_rows_beside_it(page: Path) -> None:
    text, rows = page.read_text(encoding="utf-8"), read_results([SHOWN[page]])
    assert filled(text, rows) == text, "python -m tools.results writes the page anew"
    assert {place[3] for place in PLACE.findall(text)} == {row.trial.protocol for row in rows}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_has_places_for_its_tables(page: Path) -> None:
    assert PLACE.search(page.read_text(encoding="utf-8"))


def test_other_rows_make_another_page() -> None:
    page, rows = PAGE.read_text(encoding="utf-8"), read_results([ROWS])
    assert filled(page, [row for row in rows if row.trial.run.method != "bmip"]) != page


def test_averages_are_the_last_lines_of_a_methods_tables() -> None:
    rows = [row for row in read_results([ROWS]) if row.trial.protocol == "base-to-novel"]
    maple = [row for row in rows if row.trial.run.method == "maple"]
    other = [replace(row, trial=replaced(row.trial, options=(("slots", 4),)), changed=(("slots", 4),)) for row in maple]
    own, against = averages([*rows, *other], "maple")
    assert [line[0] for line in own.rows] == ["average", "", "mean of HMs", ""]
    assert [line[1] for line in own.rows[:2]] == ["maple slots=4", "maple"]
    assert [line[:2] for line in against.rows] == [("average", "maple slots=4")]
    bases = [row.counts["base"].percent for row in maple]
    assert own.rows[1][2].startswith(f"{sum(bases) / len(bases):.1f}")
