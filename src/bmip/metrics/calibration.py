"""Calibration: whether predictions with a probability of 70 % are right in 70 % of the cases."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

ROUNDING = 1e-5
"""A probability in single precision may exceed 1 by this much."""


def calibration_error(
    probability: Float[np.ndarray, " image"], right: Bool[np.ndarray, " image"], bins: int = 15
) -> float:
    """Expected calibration error in percent: the mean gap between probability and accuracy over bins of equal width.

    Bins are weighted by their number of images; a bin includes its upper border and excludes its lower one.
    (Guo et al. 2017, equation 3)

    >>> calibration_error(np.array([0.9, 0.9, 0.5]), np.array([True, False, True]))  # (2 * 0.4 + 0.5) / 3
    43.333333333333336
    """
    if not len(right) or bins < 1:
        raise ValueError(f"{len(right)} images in {bins} bins: at least one of each is needed")
    given = probability.astype(np.float64)
    if odd := given[~((given >= 0) & (given < 1 + ROUNDING))].tolist():
        raise ValueError(f"{odd[0]} is no probability: each must be at least 0 and at most 1")
    place = np.clip(np.ceil(given * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=right - given, minlength=bins)
    return float(100 * np.abs(gaps).sum() / len(right))
