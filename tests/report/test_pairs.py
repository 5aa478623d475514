"""Comparisons of two lines over exactly the cells that both have."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmip.experiments.results import Row
from bmip.metrics import compare, holm
from bmip.report.pairs import Pair, all_pairs, pair
from bmip.report.table_data import TableData, table_data
from tests.report.test_tables import ROWS, judged, row

MAPLE = [row(data, "maple", seed, 100 + 7 * seed % 5, 50) for data in "xy" for seed in (1, 2, 3)]


def of(rows: list[Row]) -> TableData:
    (data,) = table_data(rows)
    return data


def found(data: TableData, first: str, second: str, heading: str = "base") -> Pair:
    lines = {label: one for one, label in data.labels.items()}
    column = next(one for one in data.layout.columns if one.heading == heading)
    one = pair(data, column, lines[first], lines[second], data.averaged)
    assert one is not None
    return one


def test_only_cells_that_both_have_are_compared() -> None:
    """Maple has other seeds on x, and nothing on y."""
    maple = [row("x", "maple", seed, base, 50) for seed, base in ((2, 150), (3, 160), (4, 10))]
    data = of([*ROWS, *maple])
    one = found(data, "maple", "bmip")
    assert {str(place): list(seeds) for place, seeds in one.cells.items()} == {"x": [(2, 2), (3, 3)]}
    assert one.comparison == compare([[75.0, 80.0]], [[90.0, 85.0]])
    assert one.lacking == ("x (seeds 1/1)", "y", "x (seeds 4/4)") and one.ahead == 0
    assert found(data, "zero-shot", "bmip").lacking == ("x (seeds 4/4)",)


def test_an_untrained_method_has_every_seed() -> None:
    once = [one for one in ROWS if one.trainable or one.trial.run.data_seed == 1]
    assert found(of(once), "bmip", "zero-shot") == found(of(ROWS), "bmip", "zero-shot")
    assert found(of(ROWS), "bmip", "zero-shot").comparison.difference.count == 6


def test_two_untrained_methods_have_one_difference_and_no_interval() -> None:
    own = [row(data, "zero_shot", seed, 120, 60, template="a {}.") for data in "xy" for seed in (1, 2, 3)]
    data = of([*ROWS, *own])
    one = found(data, "zero-shot 'a {}.'", "zero-shot own template")
    assert (one.comparison.difference.mean, one.comparison.difference.margin, one.comparison.p) == (0.0, None, None)
    assert one.ahead == 1, "better on x, worse on y"


def test_where_label_spaces_are_drawn_seeds_matter_for_all() -> None:
    rows = [judged("ratio-sweep", "zero_shot", seed, {"100": 50 + seed}, data="x") for seed in (1, 2)]
    rows += [judged("ratio-sweep", "bmip", seed, {"100": 60 + 2 * seed}, data="x") for seed in (1, 2, 3)]
    one = found(of(rows), "bmip", "zero-shot", "100 %")
    assert one.comparison == compare([[62.0, 64.0]], [[51.0, 52.0]]) and one.lacking == ("x (seeds 3/3)",)


def test_every_two_lines_are_a_pair_and_p_is_corrected_for_all_of_them() -> None:
    data = of([*ROWS, *MAPLE, row("x", "coop", 1, 90, 50)])
    columns = {column.heading: column for column in data.layout.columns}
    pairs = [one for _, one in all_pairs(data, [columns["base"]])]
    named = [(data.labels[one.first], data.labels[one.second]) for one in pairs]
    labels = ["zero-shot", "coop", "maple", "bmip"]
    assert named == [(a, b) for k, a in enumerate(labels) for b in labels[k + 1 :]]
    plain = [one.comparison.p for one in pairs]
    assert [p is None for p in plain] == ["coop" in names for names in named], "one seed of coop gives no test"
    expected = iter(holm([p for p in plain if p is not None]))
    assert [one.corrected for one in pairs] == [None if p is None else next(expected) for p in plain]


def test_p_is_corrected_for_all_columns_of_a_table() -> None:
    data = of([*ROWS, *MAPLE])
    base, novel = data.layout.columns[:2]
    both = all_pairs(data, [base, novel])
    assert [heading for heading, _ in both] == ["base"] * 3 + ["novel"] * 3
    tested = [one for _, one in both if one.comparison.p is not None]
    assert [one.corrected for one in tested] == holm([p for one in tested if (p := one.comparison.p) is not None])
    alone = [one for column in (base, novel) for _, one in all_pairs(data, [column]) if one.comparison.p is not None]
    assert [one.comparison for one in alone] == [one.comparison for one in tested]
    pairs = [(one.corrected or 0, both.corrected or 0) for one, both in zip(alone, tested, strict=True)]
    assert all(one <= both for one, both in pairs) and any(one < both for one, both in pairs)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(order: random.Random) -> None:
    rows = [*ROWS, *MAPLE[1:]]
    mixed = order.sample(rows, len(rows))
    for data, other in zip(table_data(rows), table_data(mixed), strict=True):
        assert all_pairs(data, data.layout.columns) == all_pairs(other, other.layout.columns)


def test_pairs_without_a_common_cell_are_none() -> None:
    data = of([row("x", "maple", 1, 100, 50), row("y", "bmip", 1, 100, 50), row("y", "coop", 2, 100, 50)])
    assert all_pairs(data, data.layout.columns) == []


def test_where_lower_is_better_the_lower_line_is_ahead() -> None:
    from bmip.report.columns import scored
    from bmip.report.table_data import arranged

    rows = [
        judged("few-shot", name, 1, {"all": 50}, scores={"fpr95": v}, data="x") for name, v in (("a", 1.0), ("b", 2.0))
    ]
    data = of(rows)
    for lower in (True, False):
        column = scored("fpr95", "FPR95", lower_is_better=lower)
        ((_, one),) = all_pairs(arranged(data.rows, replace(data.layout, columns=(column,))), [column])
        assert (one.comparison.difference.mean, one.ahead) == (pytest.approx(-1.0), int(lower))
