"""Data seeds crossed with initialisation seeds: only data seeds are independent."""

import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bmip.experiments.results import Row
from bmip.report import against_tables, tables
from bmip.report.seeds import by_data_seed, deviations, seeds_text
from tests.experiments.making import replaced
from tests.report.test_tables import row

GRID = {(data, init): 100 + 20 * data + init for data in (1, 2, 3) for init in (1, 2)}
CROSSED = st.integers(2, 4).flatmap(
    lambda data: st.lists(st.lists(st.floats(0, 100), min_size=3, max_size=3), min_size=data, max_size=data)
)


def run(method: str, data: int, init: int, base: int) -> Row:
    one = row("x", method, data, base, 50)
    return replace(one, trial=replaced(one.trial, init_seed=init))


def test_the_interval_is_over_means_per_data_seed() -> None:
    table, changes = tables([run("bmip", *seeds, base) for seeds, base in GRID.items()])
    # per data seed 60.75, 70.75, 80.75
    margin = stats.t.ppf(0.975, 2) * stats.sem([60.75, 70.75, 80.75])
    said = dict(zip(table.columns, table.rows[0], strict=True))
    assert said["base"] == f"70.8 ± {margin:.1f}" and said["seeds"] == "3 x 2"
    assert "the 95 % CI is that of the means per data seed" in table.caption
    assert changes.columns == ("data set", "method", "base, data", "base, init", "novel, data", "novel, init")
    assert changes.rows == (("x", "bmip", "10.0", "0.4", "0.0", "0.0"),)
    assert "what seeds change" in changes.title


def test_pairs_are_compared_by_data_seed() -> None:
    rows = [run("bmip", *seeds, base) for seeds, base in GRID.items()]
    rows += [run("maple", *seeds, 100 + seeds[1] * seeds[0]) for seeds in GRID]
    (table,), _ = against_tables(rows, "maple")
    ours, theirs = [60.75, 70.75, 80.75], [50.75, 51.5, 52.25]
    found = stats.ttest_rel(ours, theirs)
    assert table.rows[0][2].endswith(f"p {found.pvalue:.3f}") and table.rows[0][-1] == "3 x 2"


def test_seeds_that_are_not_crossed_stay_what_they_were() -> None:
    (table,) = tables([run("bmip", seed, 5, 100 + seed) for seed in (1, 2, 3)])
    assert table.rows[0][5] == "3" and "per data seed" not in table.caption


def test_how_many_seeds() -> None:
    assert seeds_text([GRID]) == "3 x 2"
    assert seeds_text([[*GRID, (9, 1)]]) == "4 x 1-2"
    assert seeds_text([[(1, 1), (2, 2), (3, 3)], [(1, 1)]]) == "1-3"
    assert seeds_text([]) == "0"


@given(CROSSED)
def test_means_and_deviations(grid: list[list[float]]) -> None:
    values = {(data, init): value for data, own in enumerate(grid) for init, value in enumerate(own)}
    means = [statistics.fmean(own) for own in grid]
    assert by_data_seed(values) == pytest.approx(means)
    between_data, between_inits = deviations(values)
    assert between_data == pytest.approx(statistics.stdev(means), abs=1e-9)
    columns = [statistics.fmean(column) for column in zip(*grid, strict=True)]
    assert between_inits == pytest.approx(statistics.stdev(columns), abs=1e-9)
    assert deviations({**values, (99, 0): 0.0}) == (between_data, between_inits), "it met one initialisation seed only"


def test_one_data_seed_tells_nothing_of_data_seeds() -> None:
    table, changes = tables([run("bmip", 1, init, 100 + init) for init in (1, 2, 3)])
    assert table.rows[0][2] == "51.0" and table.rows[0][5] == "1 x 3"
    assert changes.rows[0][2:4] == ("–", "0.5")
