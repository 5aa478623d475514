import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bmip.metrics import student_p, student_t, summarise

PERCENT = st.floats(0.01, 100)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 10, 29, 30, 200])
def test_student_t(freedom: int) -> None:
    assert student_t(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-10)
    for t in (0.0, 0.3, 2.0, 7.5, 40.0):
        assert student_p(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), abs=1e-12)


def test_student_t_needs_a_degree_of_freedom() -> None:
    with pytest.raises(ValueError, match="0 degrees of freedom"):
        student_t(0)
    for t, freedom in ((1.0, 0), (-1.0, 1)):
        with pytest.raises(ValueError, match=f"t is {t} with {freedom} degrees of freedom"):
            student_p(t, freedom)


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


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_what_is_not_finite_is_refused(odd: float) -> None:
    with pytest.raises(ValueError, match=f"{odd}.* are not all finite"):
        summarise([1.0, odd])
