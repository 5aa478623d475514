"""Aggregates against scipy, intervals against all samples that there can be, and what must hold for any results."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bmip.metrics import (
    bootstrap,
    interquartile_mean,
    mean_score,
    median_score,
    performance_profile,
    probability_of_improvement,
)

RESULT = st.integers(0, 40).map(lambda count: count / 0.4)
"""Percent of 40 images, so that many results are equal."""

GRID = st.tuples(st.integers(1, 6), st.integers(1, 5)).flatmap(
    lambda shape: st.lists(
        st.lists(RESULT, min_size=shape[0], max_size=shape[0]), min_size=shape[1], max_size=shape[1]
    ).map(lambda strata: [np.array(own) for own in strata])
)
"""The results of some data sets, each with as many seeds."""

RAGGED = st.lists(st.lists(RESULT, min_size=1, max_size=6).map(np.array), min_size=1, max_size=5)
"""The same, with any numbers of seeds."""

AGGREGATES = (mean_score, median_score, interquartile_mean)
THRESHOLDS = np.array([0.0, 12.5, 50.0, 77.5, 100.0])


def matrix(strata: list[np.ndarray]) -> np.ndarray:
    """Runs by data sets, as rliable takes them."""
    return np.stack(strata, axis=1)


@given(RAGGED)
def test_aggregates_are_those_of_scipy(strata: list[np.ndarray]) -> None:
    means = [np.mean(own) for own in strata]
    assert float(mean_score(strata)) == pytest.approx(np.mean(means))
    assert float(median_score(strata)) == pytest.approx(np.median(means))
    every = np.concatenate(strata)
    assert float(interquartile_mean(strata)) == pytest.approx(stats.trim_mean(every, 0.25))
    below = stats.ecdf(every).cdf.evaluate(THRESHOLDS)
    assert performance_profile(strata, THRESHOLDS) == pytest.approx(100 * (1 - below))


@given(RAGGED, st.data())
def test_the_probability_of_improvement_is_the_mean_of_mann_whitney_s_u(
    first: list[np.ndarray], data: st.DataObject
) -> None:
    second = [np.array(data.draw(st.lists(RESULT, min_size=1, max_size=6))) for _ in first]
    each = [
        stats.mannwhitneyu(one, other).statistic / (len(one) * len(other))
        for one, other in zip(first, second, strict=True)
    ]
    assert float(probability_of_improvement(first, second)) == pytest.approx(100 * np.mean(each))


@given(RAGGED, st.data())
def test_one_improves_as_often_as_the_other_does_not(first: list[np.ndarray], data: st.DataObject) -> None:
    second = [np.array(data.draw(st.lists(RESULT, min_size=1, max_size=6))) for _ in first]
    there = float(probability_of_improvement(first, second))
    assert there + float(probability_of_improvement(second, first)) == pytest.approx(100.0)
    assert float(probability_of_improvement(first, first)) == pytest.approx(50.0)
    above = [own + 100.5 for own in first]
    assert float(probability_of_improvement(above, second)) == 100.0


@given(RAGGED, st.randoms(use_true_random=False))
def test_the_order_of_data_sets_and_seeds_does_not_matter(strata: list[np.ndarray], order: random.Random) -> None:
    mixed = [np.array(order.sample(own.tolist(), len(own))) for own in order.sample(strata, len(strata))]
    for aggregate in AGGREGATES:
        assert float(aggregate(mixed)) == pytest.approx(float(aggregate(strata)))
    assert performance_profile(mixed, THRESHOLDS) == pytest.approx(performance_profile(strata, THRESHOLDS))


@given(RAGGED)
def test_a_profile_falls_from_all_to_none(strata: list[np.ndarray]) -> None:
    shares = performance_profile(strata, np.linspace(-1, 100, 40))
    assert shares[0] == 100 and shares[-1] == 0 and (np.diff(shares) <= 0).all()


@given(GRID)
def test_samples_are_treated_alike(strata: list[np.ndarray]) -> None:
    """What is computed for many samples at once is what is computed for each alone."""
    many = [np.stack([own, own[::-1] / 2, own * 0]) for own in strata]
    for number in range(3):
        alone = [own[number] for own in many]
        for aggregate in AGGREGATES:
            assert aggregate(many)[number] == pytest.approx(float(aggregate(alone)))
        assert performance_profile(many, THRESHOLDS)[number] == pytest.approx(performance_profile(alone, THRESHOLDS))
        both = probability_of_improvement(many, many[::-1])[number]
        assert both == pytest.approx(float(probability_of_improvement(alone, alone[::-1])))


def test_bounds_are_the_percentiles_of_all_samples_that_there_can_be() -> None:
    strata = [np.array([10.0, 20.0, 60.0]), np.array([50.0, 90.0])]
    each = [list(itertools.product(own.tolist(), repeat=len(own))) for own in strata]
    means = [np.mean([np.mean(own) for own in sample]) for sample in itertools.product(*each)]
    low, high = np.quantile(means, [0.025, 0.975])
    found = bootstrap(mean_score, strata, samples=20_000)
    assert found == pytest.approx([low, high], abs=1.0)
    assert (bootstrap(mean_score, strata) == bootstrap(mean_score, strata)).all()


def test_the_bounds_of_several_numbers_are_those_of_each_alone() -> None:
    strata = [np.array([10.0, 20.0, 60.0]), np.array([50.0, 90.0])]
    found = bootstrap(lambda drawn: performance_profile(drawn, THRESHOLDS), strata)
    assert found.shape == (2, len(THRESHOLDS))
    for number in range(len(THRESHOLDS)):
        alone = bootstrap(lambda drawn, k=number: performance_profile(drawn, THRESHOLDS)[..., k], strata)
        assert found[:, number].tolist() == alone.tolist()


def test_on_one_data_set_the_bounds_are_those_of_scipy() -> None:
    values = np.random.default_rng(3).normal(60, 4, 12)
    found = stats.bootstrap([values], np.mean, method="percentile", n_resamples=2000, rng=np.random.default_rng(5))
    assert bootstrap(mean_score, [values], samples=2000, seed=5) == pytest.approx(list(found.confidence_interval))


def test_data_sets_are_not_mixed() -> None:
    """A data set with one run adds no width, and none has the results of another one."""
    assert bootstrap(mean_score, [np.array([50.0]), np.array([80.0])]).tolist() == [65.0, 65.0]
    low, high = bootstrap(mean_score, [np.array([0.0, 0.0]), np.array([100.0, 100.0])])
    assert low == high == 50.0


@pytest.mark.parametrize("strata", [[], [np.array([])], [np.array([1.0]), np.array([])]])
def test_there_must_be_results(strata: list[np.ndarray]) -> None:
    for aggregate in AGGREGATES:
        with pytest.raises(ValueError, match="give at least one for each data set"):
            aggregate(strata)
        with pytest.raises(ValueError, match="give at least one for each data set"):
            bootstrap(aggregate, strata)


def test_results_must_be_finite_and_of_the_same_data_sets() -> None:
    one = [np.array([1.0])]
    with pytest.raises(ValueError, match="not all finite"):
        interquartile_mean([np.array([1.0, np.inf])])
    with pytest.raises(ValueError, match="one method has 1 data sets, the other 2"):
        probability_of_improvement(one, one * 2)
