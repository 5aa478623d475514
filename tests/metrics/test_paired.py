"""Paired comparisons against scipy, and what must hold for any results."""

import itertools
import math
import random
import re
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bmip.metrics import bootstrap, compare, holm, mean_score, student_p, student_t

PAIRS = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 600)), min_size=2, max_size=8)
"""The right answers of two methods among 600 images, seed by seed."""

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def percents(pairs: list[tuple[int, int]]) -> tuple[list[float], list[float]]:
    first, second = ([count / 6 for count in column] for column in zip(*pairs, strict=True))
    return first, second


def differences(pairs: list[tuple[int, int]]) -> list[float]:
    return [(one - other) / 6 for one, other in pairs]


@given(PAIRS)
def test_on_one_data_set_it_is_the_paired_t_test(pairs: list[tuple[int, int]]) -> None:
    first, second = percents(pairs)
    found = compare([first], [second])
    assert found.difference.mean == pytest.approx(statistics.fmean(differences(pairs)), abs=1e-9)
    assert found.difference.margin is not None and found.difference.count == len(pairs)
    if max(differences(pairs)) - min(differences(pairs)) > 1e-6:
        reference = stats.ttest_rel(first, second)
        low, high = reference.confidence_interval(0.95)
        assert found.p == pytest.approx(reference.pvalue, abs=1e-9)
        assert found.difference.margin == pytest.approx((high - low) / 2, rel=1e-6)
        if abs(reference.pvalue - 0.05) > 1e-6:
            assert found.is_clear == (reference.pvalue < 0.05)


@given(PAIRS, PAIRS)
def test_on_two_data_sets_it_is_welch_s_test(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """The mean of two means is half the difference of one and the negative of the other."""
    if any(len(set(differences(pairs))) < 2 for pairs in (one, other)):
        return
    found = compare(*zip(percents(one), percents(other), strict=True))
    welch = stats.ttest_ind(differences(one), [-value for value in differences(other)], equal_var=False)
    freedom = math.floor(welch.df + 1e-9)
    error = abs(found.difference.mean / welch.statistic) if abs(welch.statistic) > 1e-6 else None
    assert found.p == pytest.approx(student_p(abs(welch.statistic), freedom), abs=1e-9)
    if error is not None:
        assert found.difference.margin == pytest.approx(student_t(freedom) * error, rel=1e-6)


@given(st.lists(PAIRS, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_neither_order_nor_side_matters(sets: list[list[tuple[int, int]]], order: random.Random) -> None:
    first, second = zip(*map(percents, sets), strict=True)
    found, turned = compare(first, second), compare(second, first)
    assert turned.difference.mean == pytest.approx(-found.difference.mean, abs=1e-9)
    assert turned.is_clear == found.is_clear
    mixed = [order.sample(pairs, len(pairs)) for pairs in order.sample(sets, len(sets))]
    again = compare(*zip(*map(percents, mixed), strict=True))
    for other in (turned, again):
        assert other.difference.margin == pytest.approx(found.difference.margin, rel=1e-6, abs=1e-9)
        assert other.p == (None if found.p is None else pytest.approx(found.p, abs=1e-9))


def test_every_data_set_counts_alike() -> None:
    found = compare([[2.0, 4.0], [1.0, 1.0, 1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert found.difference.mean == 2.0, "the mean of 3 and 1, whatever the number of seeds"
    assert found.difference.count == 6
    # an error of 1 for the first data set and of 0 for the second: halved, with one degree of freedom
    assert found.difference.margin == pytest.approx(student_t(1) / 2)


def test_what_cannot_be_judged() -> None:
    assert compare([[3.0, 4.0]], [[2.0, 3.0]]).p is None
    assert compare([[0.3, 0.8]], [[0.1, 0.6]]).p is None, "equal but for rounding"
    still = compare([[3.0, 4.0]], [[2.0, 3.0]])
    assert still.difference.margin == 0 and not still.is_clear
    one = compare([[3.0, 4.0], [5.0]], [[2.0, 1.0], [1.0]])
    assert (one.difference.mean, one.difference.margin, one.p, one.is_clear) == (3.0, None, None, False)


@pytest.mark.parametrize(
    ("sides", "sizes"),
    [
        (([], []), "[] and []"),
        (([[1.0, 2.0]], [[1.0]]), "[2] and [1]"),
        (([[1.0]], [[1.0], [2.0]]), "[1] and [1, 1]"),
    ],
)
def test_both_must_have_the_same_results(sides: tuple[list, list], sizes: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"the two have {sizes} results: give both one for each seed")):
        compare(*sides)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="not all finite"):
        compare([[1.0, odd]], [[1.0, 2.0]])


def test_the_interval_holds_the_true_difference_in_95_of_100_cases() -> None:
    """Two equal methods on four data sets with three seeds; the percentile bootstrap of the same is too narrow."""
    draws = np.random.default_rng(1)
    spread, cases = np.array([[0.5], [1.0], [2.0], [4.0]]), 1000
    results = draws.normal(0.0, 1.0, (cases, 4, 3)) * spread
    zero = np.zeros((4, 3)).tolist()
    found = [compare(case.tolist(), zero).difference for case in results]
    held = sum(abs(one.mean) <= (one.margin or 0.0) for one in found) / cases
    assert 0.94 < held < 0.985  # rounding the degrees of freedom down makes it somewhat wider
    bounds = np.array([bootstrap(mean_score, list(case), samples=100) for case in results])
    assert ((bounds[:, 0] <= 0) & (bounds[:, 1] >= 0)).mean() < 0.86


@given(P_VALUES)
def test_holm_is_the_closure_of_bonferroni(values: list[float]) -> None:
    """A test is corrected to the largest value that Bonferroni gives to any set of tests with it."""
    tests = range(len(values))
    sets = [each for size in tests for each in itertools.combinations(tests, size + 1)]
    joint = {each: min(1.0, len(each) * min(values[one] for one in each)) for each in sets}
    assert holm(values) == pytest.approx([max(joint[each] for each in sets if one in each) for one in tests])


@given(P_VALUES, st.randoms(use_true_random=False))
def test_holm_does_not_depend_on_the_order(values: list[float], order: random.Random) -> None:
    mixed = order.sample(range(len(values)), len(values))
    assert holm([values[position] for position in mixed]) == pytest.approx([holm(values)[one] for one in mixed])
    assert all(corrected >= value for corrected, value in zip(holm(values), values, strict=True))


def test_holm_refuses_what_is_no_p_value() -> None:
    assert holm([]) == []
    for odd in (math.nan, -0.1, 1.5):
        with pytest.raises(ValueError, match="not all p values"):
            holm([0.5, odd])


@settings(max_examples=20)
@given(PAIRS)
def test_equal_methods_do_not_differ(pairs: list[tuple[int, int]]) -> None:
    first, _ = percents(pairs)
    found = compare([first], [first])
    assert (found.difference.mean, found.p) == (0.0, None)
