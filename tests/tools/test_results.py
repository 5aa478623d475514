"""The pages of results show the rows that lie beside them."""

from dataclasses import replace
from pathlib import Path

import pytest

from bmip.experiments.results import read_results
from bmip.studies.expand import expand
from bmip.studies.plan import read_plan
from tests.experiments.making import replaced
from tools.results import PAGES, PLACE, PLANS, filled

SHOWN = {page: rows for page, rows in PAGES.items() if rows.exists()}
PAGE, ROWS = next(iter(SHOWN.items()))
ENVIRONMENT = {"processor": "P", "threads": 1, "torch": "2", "commit": "abc", "dirty": False}


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_a_page_shows_the_rows_beside_it(page: Path) -> None:
    text, rows = page.read_text(encoding="utf-8"), read_results([SHOWN[page]])
    assert filled(text, rows) == text, "python -m tools.results writes the page anew"
    assert {place["protocol"] for place in PLACE.finditer(text)} == {row.trial.protocol for row in rows}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_page_has_places_for_its_tables(page: Path) -> None:
    assert PLACE.search(page.read_text(encoding="utf-8"))


def test_other_rows_make_another_page() -> None:
    page, rows = PAGE.read_text(encoding="utf-8"), read_results([ROWS])
    assert filled(page, [row for row in rows if row.trial.run.data_seed != 3]) != page


def test_a_page_says_where_its_rows_come_from() -> None:
    """Six rows are of a plan's trials, one of them from another machine; and two are of other trials."""
    planned = expand(read_plan(PLANS / "fidelity.toml"))
    like = read_results([ROWS])[0]
    rows = [replace(like, trial=one.trial, environment=ENVIRONMENT, training_seconds=3600.0) for one in planned[:6]]
    rows[0] = replace(rows[0], environment={**ENVIRONMENT, "processor": "Q", "dirty": True})
    rows += [replace(rows[1], trial=replace(rows[1].trial, protocol="open-world"))]  # of the same training
    rows += [replace(like, environment=ENVIRONMENT, training_seconds=0.0, evaluation_seconds=3600.0)]
    rows = [replace(row, evaluation_seconds=0.0) if row.training_seconds else row for row in rows]
    start, end = "<!-- origin: plans/fidelity.toml -->\n", "<!-- end -->"
    assert filled(f"{start}stale\n{end}", rows) == (
        f"{start}\n6 of the 48 trials of `plans/fidelity.toml` and 2 others: 7.0 hours of work, on "
        "P, 1 thread (7), Q, 1 thread (1); torch 2; commits of the package, with the number of rows where there are "
        f"several: abc (7), abc and uncommitted changes (1).\n\n{end}"
    )


def lines(page: str) -> list[list[str]]:
    """The cells of all tables' lines."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if "|" in line]
    return [line for line in cells if line[0] not in ("data set", "---")]


def test_a_place_names_methods_and_data_sets() -> None:
    rows = read_results([ROWS])
    place = "<!-- matrix against bmip: base-to-novel of bmip zero-shot on clothes digits -->\nstale\n<!-- end -->\n"
    page = filled(f"before\n{place}after\n", rows)
    assert page.startswith("before\n<!--") and page.endswith("<!-- end -->\nafter\n") and "stale" not in page
    shown, against = page.split("against bmip,")
    assert lines(shown)[0] == ["method", "clothes", "digits", "average"]
    assert {line[0] for line in lines(shown)[1:]} == {"zero-shot", "bmip"}
    assert [line[:2] for line in lines(against)] == [["average", "zero-shot"]]
    assert filled(page, rows) == page


def test_pairs_are_of_every_two_methods() -> None:
    place = "<!-- pairs: base-to-novel of bmip zero-shot maple on clothes digits -->\n<!-- end -->"
    found = [line[:2] for line in lines(filled(place, read_results([ROWS])))[1:]]
    assert found == [["zero-shot", "maple"], ["zero-shot", "bmip"], ["maple", "bmip"]]


def test_averages_are_the_last_lines_of_the_tables() -> None:
    rows = [row for row in read_results([ROWS]) if row.trial.protocol == "base-to-novel"]
    maple = [row for row in rows if row.trial.run.method == "maple"]
    other = [replace(row, trial=replaced(row.trial, options=(("slots", 4),)), changed=(("slots", 4),)) for row in maple]
    place = "<!-- averages against maple: base-to-novel of maple -->\n<!-- end -->"
    own, against = filled(place, [*rows, *other]).split("against maple,")
    assert [line[0] for line in lines(own)] == ["average", "", "mean of HMs", ""]
    assert [line[1] for line in lines(own)[:2]] == ["maple slots=4", "maple"]
    assert [line[:2] for line in lines(against)] == [["average", "maple slots=4"]]
    bases = [row.counts["base"].percent for row in maple]
    assert lines(own)[1][2].startswith(f"{sum(bases) / len(bases):.1f}")
