"""What several data sets and seeds say together. The definitions are rliable's, see `bmip.metrics.bootstrap`.

Every function takes the results of each data set, and returns one value for each sample in the axes before the seeds.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bmip.metrics.bootstrap import Strata, check_strata


def mean_score(strata: Strata) -> Float[np.ndarray, "*sample"]:
    """The mean over data sets of their means over seeds.

    >>> float(mean_score([np.array([50.0, 52.0]), np.array([80.0, 82.0])]))
    66.0
    """
    return np.asarray(np.mean(_means(strata), axis=0))


def median_score(strata: Strata) -> Float[np.ndarray, "*sample"]:
    """The median over data sets of their means over seeds.

    >>> float(median_score([np.array([50.0, 52.0]), np.array([80.0, 82.0]), np.array([90.0])]))
    81.0
    """
    return np.asarray(np.median(_means(strata), axis=0))


def interquartile_mean(strata: Strata) -> Float[np.ndarray, "*sample"]:
    """The mean of the results of all data sets and seeds, without the lowest and the highest quarter of them.

    The numbers left out at each end are rounded down. Each run counts once, so a data set with more seeds counts more.

    >>> float(interquartile_mean([np.array([10.0, 50.0]), np.array([54.0, 99.0])]))
    52.0
    """
    every = np.sort(_all(strata), axis=-1)
    cut = every.shape[-1] // 4
    return np.asarray(every[..., cut : every.shape[-1] - cut].mean(axis=-1))


def performance_profile(
    strata: Strata, thresholds: Float[np.ndarray, " threshold"]
) -> Float[np.ndarray, "*sample threshold"]:
    """Percent of the runs, of all data sets and seeds, whose result is above each threshold.

    >>> performance_profile([np.array([50.0, 60.0]), np.array([80.0, 90.0])], np.array([0.0, 60.0, 90.0])).tolist()
    [100.0, 50.0, 0.0]
    """
    return 100.0 * (_all(strata)[..., np.newaxis] > thresholds).mean(axis=-2)


def probability_of_improvement(first: Strata, second: Strata) -> Float[np.ndarray, "*sample"]:
    """Percent of the pairs of a run of the first and one of the second method in which the first is better.

    Both have the same data sets, in the same order. Equal results count half. The percentage is made for each data set,
    and the mean of these is returned. It says how often the first is better, not by how much.

    >>> float(probability_of_improvement([np.array([70.0, 80.0])], [np.array([70.0, 60.0])]))  # 3.5 of 4 pairs
    87.5
    """
    check_strata(first)
    check_strata(second)
    if len(first) != len(second):
        raise ValueError(f"one method has {len(first)} data sets, the other {len(second)}: give the same of both")
    each = []
    for one, other in zip(first, second, strict=True):
        mine, theirs = one[..., :, np.newaxis], other[..., np.newaxis, :]
        each.append(((mine > theirs) + 0.5 * (mine == theirs)).mean(axis=(-2, -1)))
    return np.asarray(100.0 * np.mean(each, axis=0))


def _means(strata: Strata) -> list[Float[np.ndarray, "*sample"]]:
    check_strata(strata)
    return [np.asarray(own.mean(axis=-1)) for own in strata]


def _all(strata: Strata) -> Float[np.ndarray, "*sample run"]:
    check_strata(strata)
    return np.concatenate(list(strata), axis=-1)
