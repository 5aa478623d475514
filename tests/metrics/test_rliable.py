"""Aggregates and their intervals against rliable, which is no dependency: its arch does not fit the newest pandas."""

import numpy as np
import pytest

from bmip.metrics import (
    bootstrap,
    interquartile_mean,
    mean_score,
    median_score,
    performance_profile,
    probability_of_improvement,
)

library = pytest.importorskip("rliable.library", reason="rliable is not installed")
metrics = pytest.importorskip("rliable.metrics")

DRAWS = np.random.default_rng(3)
FIRST, SECOND = ([np.round(DRAWS.normal(60 + 5 * k, 4, 10)) for k in range(4)] for _ in range(2))
"""Results of four data sets with ten seeds each, some of them equal."""

THRESHOLDS = np.linspace(50, 90, 9)


def matrix(strata: list[np.ndarray]) -> np.ndarray:
    """Runs by data sets, as rliable takes them."""
    return np.stack(strata, axis=1)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(mean_score, "aggregate_mean"), (median_score, "aggregate_median"), (interquartile_mean, "aggregate_iqm")],
)
def test_aggregates(ours, theirs: str) -> None:
    reference = getattr(metrics, theirs)
    points, bounds = library.get_interval_estimates(
        {"a": matrix(FIRST)}, lambda scores: np.array([reference(scores)]), reps=2000
    )
    assert float(ours(FIRST)) == pytest.approx(float(points["a"][0]))
    assert bootstrap(ours, FIRST) == pytest.approx(bounds["a"].ravel(), abs=0.4)


def test_probability_of_improvement() -> None:
    points, bounds = library.get_interval_estimates(
        {"a": [matrix(FIRST), matrix(SECOND)]},
        lambda x, y: np.array([metrics.probability_of_improvement(x, y)]),
        reps=500,
    )
    assert float(probability_of_improvement(FIRST, SECOND)) == pytest.approx(100 * float(points["a"][0]))
    assert bootstrap(probability_of_improvement, FIRST, SECOND) == pytest.approx(100 * bounds["a"].ravel(), abs=3.0)


def test_performance_profile() -> None:
    shares, bounds = library.create_performance_profile({"a": matrix(FIRST)}, THRESHOLDS, reps=1000)
    assert performance_profile(FIRST, THRESHOLDS) == pytest.approx(100 * shares["a"])
    found = bootstrap(lambda drawn: performance_profile(drawn, THRESHOLDS), FIRST)
    assert found == pytest.approx(100 * bounds["a"], abs=3.0)
