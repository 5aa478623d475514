"""Intervals by the stratified bootstrap: in every stratum, such as a data set, its runs are drawn again and again.

The definition is rliable's (Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice,
NeurIPS 2021), without drawing data sets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

Strata = Sequence[Float[np.ndarray, "*sample _"]]
"""The results of each stratum, one for each run in the last axis; an axis before it holds samples of the bootstrap."""

SAMPLES = 2000
SEED = 0
CENTRAL = (0.025, 0.975)
"""The bounds of the 95 % in the middle of all samples."""


def bootstrap(
    statistic: Callable[..., Float[np.ndarray, "*out"]], *sides: Strata, samples: int = SAMPLES, seed: int = SEED
) -> Float[np.ndarray, "bound *out"]:
    """The lower and the upper bound of the 95 % CI of a statistic: percentiles over samples of the bootstrap.

    Each side is one method, whose runs are drawn independently of those of the other sides. `statistic` takes the sides
    with an axis of samples in front, and returns a number, or several, for each sample.

    The CI is somewhat too narrow where a stratum has few runs, and a stratum with one run adds nothing to its width: a
    method that has an effect of chance needs at least two.

    >>> from bmip.metrics import mean_score
    >>> bootstrap(mean_score, [np.array([50.0, 51.0]), np.array([80.0, 83.0])]).tolist()
    [65.0, 67.0]
    """
    for strata in sides:
        check_strata(strata)
    generator = np.random.default_rng(seed)
    drawn = [
        [own[generator.integers(len(own), size=(samples, len(own)))] for own in map(np.asarray, strata)]
        for strata in sides
    ]
    return np.quantile(statistic(*drawn), CENTRAL, axis=0)


def check_strata(strata: Strata) -> None:
    """Raises ValueError where there is no stratum, and for a stratum without results or with some that are not finite.

    >>> check_strata([np.array([50.0]), np.array([80.0, 83.0])])
    """
    if not len(strata) or not all(own.shape[-1] for own in strata):
        raise ValueError("there are no results, or a data set without any: give at least one for each data set")
    if not all(np.isfinite(own).all() for own in strata):
        raise ValueError("the results are not all finite: nothing can be said of them")
