import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bmip.metrics import accuracy, harmonic_mean, student_t, summarise

PERCENT = st.floats(0.01, 100)


def test_accuracy_is_in_percent() -> None:
    assert accuracy(3, 4) == 75
    assert accuracy(0, 7) == 0
    for correct, total in ((0, 0), (5, 4), (-1, 4)):
        with pytest.raises(ValueError, match=f"{correct} of {total} correct is no accuracy"):
            accuracy(correct, total)


@given(PERCENT, PERCENT)
def test_harmonic_mean(base: float, novel: float) -> None:
    assert harmonic_mean(base, novel) == pytest.approx(statistics.harmonic_mean([base, novel]))


def test_harmonic_mean_of_published_rows() -> None:
    """BMIP's README prints 79.04 for this row, which does not follow from it. (docs/fidelity.md)"""
    assert round(harmonic_mean(83.47, 76.69), 2) == 79.94
    assert round(harmonic_mean(69.34, 74.22), 2) == 71.70


def test_harmonic_mean_at_the_borders() -> None:
    assert harmonic_mean(0.0, 80.0) == harmonic_mean(80.0, 0.0) == harmonic_mean(0.0, 0.0) == 0
    with pytest.raises(ValueError, match="accuracies are at least 0"):
        harmonic_mean(-1.0, 50.0)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29, 30, 200])
def test_student_t(freedom: int) -> None:
    assert student_t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-10)


def test_student_t_needs_a_degree_of_freedom() -> None:
    with pytest.raises(ValueError, match="0 degrees of freedom"):
        student_t(0)


@given(st.lists(PERCENT, min_size=2, max_size=12))
def test_interval(values: list[float]) -> None:
    found = summarise(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.count == len(values)
    spread = stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=found.mean, scale=spread) if spread else (found.mean,) * 2
    assert found.margin == pytest.approx((high - low) / 2, rel=1e-6, abs=1e-9)


def test_one_seed_has_no_interval() -> None:
    assert summarise([81.5]) == type(found := summarise([81.5]))(81.5, None, 1) and found.margin is None
    with pytest.raises(ValueError, match="no results"):
        summarise([])


def test_three_seeds_by_hand() -> None:
    found = summarise([80.0, 82.0, 84.0])
    assert found.mean == 82
    assert found.margin == pytest.approx(4.302652729911275 * 2 / math.sqrt(3))
