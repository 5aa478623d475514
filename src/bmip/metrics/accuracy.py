"""Accuracy over all images, per class, and among the most likely classes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Count(NamedTuple):
    """The number of correctly classified images, and of all evaluated images.

    >>> Count(3, 4).percent
    75.0
    """

    correct: int
    total: int

    @property
    def percent(self) -> float:
        """The accuracy in percent."""
        return accuracy(self.correct, self.total)

    @classmethod
    def of(cls, right: Bool[np.ndarray, " image"]) -> Count:
        """The count for one truth value per image: whether its class is right."""
        return cls(int(right.sum()), len(right))


def accuracy_interval(correct: int, total: int) -> tuple[float, float]:
    """The 95 % confidence interval of an accuracy, in percent, over the draw of the images. (Wilson 1927)

    >>> [round(end, 1) for end in accuracy_interval(3, 4)]
    [30.1, 95.4]
    """
    share, z = accuracy(correct, total) / 100, 1.959963984540054
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def accuracy(correct: int, total: int) -> float:
    """Accuracy in percent. Raises ValueError for no images, or for more correct ones than images.

    >>> accuracy(3, 4)
    75.0
    """
    if not 0 <= correct <= total or total == 0:
        raise ValueError(f"{correct} of {total} correct is no accuracy: at least one image must have been evaluated")
    return 100 * correct / total


def confusion_matrix(
    labels: Int[np.ndarray, " image"], predicted: Int[np.ndarray, " image"], classes: int
) -> Int[np.ndarray, "class class"]:
    """Numbers of images; the row is the true class, the column the predicted one.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    check_labels(labels, classes)
    check_labels(predicted, classes)
    return np.bincount(labels.astype(np.int64) * classes + predicted, minlength=classes**2).reshape(classes, classes)


def per_class_accuracy(confusion: Int[np.ndarray, "class class"]) -> Float[np.ndarray, " class"]:
    """The accuracy of each class in percent; NaN for a class without images.

    >>> per_class_accuracy(np.array([[1, 1, 0], [0, 3, 0], [0, 0, 0]])).tolist()
    [50.0, 100.0, nan]
    """
    totals = confusion.sum(1)
    return np.where(totals > 0, 100 * confusion.diagonal() / np.maximum(totals, 1), np.nan)


def macro_accuracy(confusion: Int[np.ndarray, "class class"]) -> float:
    """The unweighted mean of the classes' accuracies; classes without images are left out.

    >>> macro_accuracy(np.array([[1, 1], [0, 8]]))
    75.0
    """
    return float(np.nanmean(per_class_accuracy(_evaluated(confusion))))


def macro_f1(confusion: Int[np.ndarray, "class class"]) -> float:
    """The mean of the classes' F1 in percent. F1 is the harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    Classes that occur neither as label nor as prediction are left out.

    >>> macro_f1(np.array([[1, 1], [0, 1]]))  # each class 2/3
    66.66666666666667
    """
    hits = _evaluated(confusion).diagonal()
    occurrences = confusion.sum(0) + confusion.sum(1)
    occur = occurrences > 0
    return float(np.mean(100 * 2 * hits[occur] / occurrences[occur]))


def ranks(logits: Float[np.ndarray, "image class"], labels: Int[np.ndarray, " image"]) -> Int[np.ndarray, " image"]:
    """The number of classes ranked before the right one: 0 if it is predicted. Of equal logits the first class wins.

    >>> ranks(np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.5]]), np.array([2, 2])).tolist()
    [1, 1]
    """
    check_labels(labels, logits.shape[1])
    check_logits(logits)
    own = np.take_along_axis(logits, labels[:, None], axis=1)
    earlier = np.arange(logits.shape[1]) < labels[:, None]
    return ((logits > own) | ((logits == own) & earlier)).sum(1)


def top_accuracy(ranks: Int[np.ndarray, " image"], k: int = 5) -> float:
    """Percent of the images whose right class is among the k most likely ones.

    >>> top_accuracy(np.array([0, 3, 5, 9]))
    50.0
    """
    if k < 1:
        raise ValueError(f"top-{k}: at least one class must be counted")
    if len(ranks) and ranks.min() < 0:
        raise ValueError(f"{ranks.min()} is no rank: the likeliest class has rank 0")
    return accuracy(int((ranks < k).sum()), len(ranks))


def check_labels(labels: Int[np.ndarray, " image"], classes: int) -> None:
    """Raises ValueError for a label that is not in 0..classes - 1."""
    if odd := labels[(labels < 0) | (labels >= classes)].tolist():
        raise ValueError(f"{odd[0]} is none of {classes} classes, which are counted from 0")


def check_logits(*logits: Float[np.ndarray, "image _"]) -> None:
    """Raises ValueError if a logit is NaN."""
    if missing := sum(int(np.isnan(each).any(1).sum()) for each in logits):
        raise ValueError(f"the logits of {missing} images hold NaN: no class can be the likeliest")


def _evaluated(confusion: Int[np.ndarray, "class class"]) -> Int[np.ndarray, "class class"]:
    if not confusion.sum():
        raise ValueError("the confusion matrix counts no image: at least one must have been evaluated")
    return confusion
