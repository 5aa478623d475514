import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.metrics import harmonic_mean, harmonic_mean_of_averages, mean_of_harmonic_means

PERCENT = st.floats(0.01, 100)


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


@given(st.lists(st.tuples(PERCENT, PERCENT), min_size=1, max_size=11))
def test_both_ways_to_average(pairs: list[tuple[float, float]]) -> None:
    base, novel = ([pair[side] for pair in pairs] for side in (0, 1))
    averages = [statistics.fmean(base), statistics.fmean(novel)]
    assert harmonic_mean_of_averages(pairs) == pytest.approx(statistics.harmonic_mean(averages))
    each = [statistics.harmonic_mean(pair) for pair in pairs]
    assert mean_of_harmonic_means(pairs) == pytest.approx(statistics.fmean(each))
    assert mean_of_harmonic_means(pairs) <= harmonic_mean_of_averages(pairs) + 1e-9


@pytest.mark.parametrize("average", [harmonic_mean_of_averages, mean_of_harmonic_means])
def test_nothing_has_no_average(average) -> None:
    with pytest.raises(ValueError, match="at least one data set"):
        average([])
