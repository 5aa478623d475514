"""Methods times data sets in one number."""

import pytest

from bmip.metrics import harmonic_mean
from bmip.report import matrix_tables, tables
from tests.report.test_tables import ROWS, judged, row


def test_each_number_is_that_of_the_table() -> None:
    (matrix,), (whole,) = matrix_tables(ROWS), tables(ROWS)
    assert "of means over 3 seeds" in matrix.caption
    assert matrix.columns == ("method", "x", "y", "average")
    data, numbers = "", {}
    for line in whole.rows:
        data = line[0] or data
        numbers[line[1], data] = line[whole.columns.index("harmonic mean")]
    for method, *shown in matrix.rows:
        assert shown == [numbers[method, name] for name in matrix.columns[1:]]
    assert {line[0] for line in matrix.rows} == {"zero-shot", "bmip"}


def test_the_last_column_is_the_harmonic_mean_of_the_averages() -> None:
    rows = [row("x", "bmip", 1, 180, 20), row("y", "bmip", 1, 20, 80)]
    counts = {name: sum(one.counts[name].percent for one in rows) / 2 for name in ("base", "novel")}
    (matrix,) = matrix_tables(rows)
    assert matrix.rows[0][-1] == f"{harmonic_mean(counts['base'], counts['novel']):.1f}"
    assert "as papers print it" in matrix.caption


def test_bold_is_what_is_clearly_best() -> None:
    close = [row(data, "maple", seed, 150 + seed, 50) for data in "xy" for seed in (1, 2, 3)]
    far = [row(data, "vpt", seed, 20 + 2 * seed, 10) for data in "xy" for seed in (1, 2, 3)]
    (matrix,) = matrix_tables([*close, *far])
    assert {matrix.rows[line][0] for line, _ in matrix.bold} == {"maple"} and len(matrix.bold) == 3
    assert "Bold" in matrix.caption
    (matrix,) = matrix_tables(row(data, name, 1, 150, 50) for data in "xy" for name in ("maple", "vpt"))
    assert not matrix.bold and "Bold" not in matrix.caption


def test_what_is_lacking_is_said() -> None:
    (matrix,) = matrix_tables([*ROWS, row("x", "maple", 1, 150, 50)])
    maple = next(line for line in matrix.rows if line[0] == "maple")
    assert maple[2:] == ("–", "–") and maple[1] != "–"
    assert "maple (without" in matrix.caption


@pytest.mark.parametrize(
    "rows",
    [
        [row("x", "bmip", 1, 150, 50)],
        [judged("few-shot", "bmip", 1, {"all": 50}, data=data, shots=shots) for data in "xy" for shots in (1, 16)],
    ],
    ids=["one data set", "several columns to compare by"],
)
def test_some_tables_have_none(rows: list) -> None:
    assert matrix_tables(rows) == []
