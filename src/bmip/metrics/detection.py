"""Detection of novel classes by a score that is higher for images of base classes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


def auroc(base: Float[np.ndarray, " base"], novel: Float[np.ndarray, " novel"]) -> float:
    """Area under the ROC curve: percent of the pairs in which the base image scores higher; equal scores count half.

    >>> auroc(np.array([0.9, 0.6]), np.array([0.6, 0.1]))  # 3.5 of 4 pairs
    87.5
    """
    _check(base, novel)
    return _ordered(base, novel, len(base) * len(novel))


def openworld_auc(
    base: Float[np.ndarray, " base"],
    base_right: Bool[np.ndarray, " base"],
    novel: Float[np.ndarray, " novel"],
    novel_right: Bool[np.ndarray, " novel"],
) -> float:
    """Percent of the pairs of a base and a novel image that are both classified right, the base one scoring higher.

    Each image is classified among its own half of the classes. Equal scores count half, as in `auroc`, which is the
    same number if every image is classified right. It is at most the smallest of AUROC and both accuracies.
    (Hua et al., OpenworldAUC, ICML 2025)

    >>> true, scores = np.array([True, True]), np.array([0.9, 0.6])
    >>> openworld_auc(scores, true, np.array([0.6, 0.1]), np.array([False, True]))  # 2 of 4 pairs
    50.0
    """
    _check(base, novel)
    return _ordered(base[base_right], novel[novel_right], len(base) * len(novel))


def false_positives(
    base: Float[np.ndarray, " base"], novel: Float[np.ndarray, " novel"], accepted: float = 95.0
) -> float:
    """Percent of novel images taken for base, at the highest threshold that accepts `accepted` percent of base images.

    With 95 it is called FPR95. A score equal to the threshold is accepted.

    >>> false_positives(np.array([0.9, 0.8, 0.7, 0.2]), np.array([0.75, 0.1]), accepted=75.0)
    50.0
    """
    if not 0 < accepted <= 100:
        raise ValueError(f"{accepted} percent of the base images cannot be accepted: give more than 0, at most 100")
    _check(base, novel)
    needed = int(np.ceil(accepted * len(base) / 100))
    threshold = np.sort(base)[len(base) - needed]
    return float(100 * np.mean(novel >= threshold))


def _ordered(base: np.ndarray, novel: np.ndarray, pairs: int) -> float:
    """Percent of the pairs in which base scores higher, computed by ranks; doubled counts keep halves exact."""
    line = np.sort(novel)
    doubled = np.searchsorted(line, base, "left").sum() + np.searchsorted(line, base, "right").sum()
    return 100 * int(doubled) / (2 * pairs)


def _check(base: np.ndarray, novel: np.ndarray) -> None:
    if not len(base) * len(novel):
        raise ValueError("base is told from novel where there are images of both: at least one of each is needed")
    if missing := int(np.isnan(base).sum() + np.isnan(novel).sum()):
        raise ValueError(f"{missing} of {len(base) + len(novel)} scores are NaN: images without one cannot be ordered")
