"""The page of results shows the rows that lie beside it."""

from bmip.experiments.results import read_results
from tools.results import PAGE, PLACE, ROWS, filled


def test_the_page_shows_the_rows_beside_it() -> None:
    page, rows = PAGE.read_text(encoding="utf-8"), read_results([ROWS])
    assert filled(page, rows) == page, "python -m tools.results writes the page anew"
    assert {place[1] for place in PLACE.findall(page)} == {row.trial.protocol for row in rows}


def test_other_rows_make_another_page() -> None:
    page, rows = PAGE.read_text(encoding="utf-8"), read_results([ROWS])
    assert filled(page, [row for row in rows if row.trial.run.method != "bmip"]) != page
