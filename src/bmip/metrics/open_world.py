"""Metrics of base and novel test images that are classified among all classes at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bmip.metrics.accuracy import Count, check_labels, check_logits
from bmip.metrics.balance import harmonic_mean
from bmip.metrics.detection import auroc, false_positives, openworld_auc


@dataclass(frozen=True)
class OpenWorld:
    """The metrics of the open-world setting."""

    base: Count
    """Base images among the base classes."""

    novel: Count
    """Novel images among the novel classes."""

    base_joint: Count
    """Base images among all classes."""

    novel_joint: Count
    """Novel images among all classes."""

    joint: Count
    """All images among all classes: open-world accuracy. (DeCoOp's Acc)"""

    auroc: float
    """AUROC of base against novel images; the score is the highest probability among the base classes alone."""

    fpr95: float
    """Percent of novel images taken for base when 95 % of the base images are accepted, with the same score."""

    openworld_auc: float
    """OpenworldAUC with the same score."""

    @property
    def h(self) -> float:
        """Harmonic mean of `base` and `novel`. (DeCoOp's H)"""
        return harmonic_mean(self.base.percent, self.novel.percent)


def open_world(
    labels: Int[np.ndarray, " image"],
    joint: Float[np.ndarray, "image class"],
    base: Float[np.ndarray, "image base"],
    novel: Float[np.ndarray, "image novel"],
) -> OpenWorld:
    """Computes all open-world metrics.

    Args:
        labels: the true classes; base classes come first.
        joint: logits over all classes.
        base: logits over the base classes alone; these are `joint[:, :b]` unless classes influence each other.
        novel: logits over the novel classes alone.

    Raises ValueError for wrong labels, NaN, and if there are no base or no novel images.

    >>> joint = np.array([[2.0, 0.0, 3.0], [0.0, 2.0, 1.0], [1.0, 0.0, 2.0]])
    >>> found = open_world(np.array([0, 1, 2]), joint, joint[:, :2], joint[:, 2:])
    >>> found.base.percent, found.novel.percent, found.h  # each half for itself makes no mistake
    (100.0, 100.0, 100.0)
    >>> found.joint.percent, found.base_joint.percent  # among all names the first image is taken for novel
    (66.66666666666667, 50.0)
    >>> found.openworld_auc
    100.0
    """
    check_labels(labels, joint.shape[1])
    check_logits(joint, base, novel)
    of_base = labels < base.shape[1]
    if of_base.all() or not of_base.any():
        raise ValueError(f"there are {of_base.sum()} base and {(~of_base).sum()} novel images: some of each are needed")
    right = joint.argmax(1) == labels
    right_base = base.argmax(1)[of_base] == labels[of_base]
    right_novel = novel.argmax(1)[~of_base] == labels[~of_base] - base.shape[1]
    score = highest_probability(base)
    return OpenWorld(
        base=Count.of(right_base),
        novel=Count.of(right_novel),
        base_joint=Count.of(right[of_base]),
        novel_joint=Count.of(right[~of_base]),
        joint=Count.of(right),
        auroc=auroc(score[of_base], score[~of_base]),
        fpr95=false_positives(score[of_base], score[~of_base]),
        openworld_auc=openworld_auc(score[of_base], right_base, score[~of_base], right_novel),
    )


def highest_probability(logits: Float[np.ndarray, "image class"]) -> Float[np.ndarray, " image"]:
    """The highest softmax probability of each image.

    >>> highest_probability(np.log(np.array([[1.0, 3.0]]))).tolist()
    [0.75]
    """
    exponents = logits.astype(np.float64)
    return 1 / np.exp(exponents - exponents.max(1, keepdims=True)).sum(1)
