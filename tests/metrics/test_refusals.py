"""What is out of range, or no number, is refused and named."""

import numpy as np
import pytest

from bmip.metrics import (
    auroc,
    calibration_error,
    confusion_matrix,
    false_positives,
    harmonic_mean,
    open_world,
    openworld_auc,
    ranks,
    top_accuracy,
)

NAN = np.array([0.5, np.nan])
FINE = np.array([0.5, 0.6])
TRUE = np.array([True, True])
LOGITS = np.array([[0.0, 1.0], [2.0, np.nan]])


@pytest.mark.parametrize("pair", [(NAN, FINE), (FINE, NAN)])
def test_scores_that_are_nan(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="1 of 4 scores are NaN"):
        auroc(*pair)
    with pytest.raises(ValueError, match="1 of 4 scores are NaN"):
        false_positives(*pair)
    with pytest.raises(ValueError, match="1 of 4 scores are NaN"):
        openworld_auc(pair[0], ~TRUE, pair[1], ~TRUE)


def test_scores_of_both_sides_are_counted() -> None:
    with pytest.raises(ValueError, match="2 of 4 scores are NaN"):
        auroc(NAN, NAN)


def test_logits_that_are_nan() -> None:
    labels = np.array([0, 1])
    with pytest.raises(ValueError, match="the logits of 1 images hold NaN"):
        ranks(LOGITS, labels)
    with pytest.raises(ValueError, match="the logits of 2 images hold NaN"):
        open_world(labels, LOGITS, LOGITS[:, :1], LOGITS[:, 1:])
    with pytest.raises(ValueError, match="the logits of 2 images hold NaN"):
        ranks(np.full((2, 2), np.nan), labels)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_logits_that_are_nan_in_one_of_three(part: int) -> None:
    given = [np.zeros((2, 2)), np.zeros((2, 1)), np.zeros((2, 1))]
    given[part][1, 0] = np.nan
    with pytest.raises(ValueError, match="the logits of 1 images hold NaN"):
        open_world(np.array([0, 1]), *given)


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_that_are_no_class(label: int) -> None:
    labels, fine = np.array([0, label]), np.array([0, 1])
    logits = np.zeros((2, 2))
    for refused in (
        lambda: confusion_matrix(labels, fine, 2),
        lambda: confusion_matrix(fine, labels, 2),
        lambda: ranks(logits, labels),
        lambda: open_world(labels, logits, logits[:, :1], logits[:, 1:]),
    ):
        with pytest.raises(ValueError, match=f"{label} is none of 2 classes"):
            refused()


def test_ranks_below_zero() -> None:
    with pytest.raises(ValueError, match="-1 is no rank"):
        top_accuracy(np.array([0, -1]))


@pytest.mark.parametrize("odd", [-0.1, 1.1, np.nan])
def test_probabilities_out_of_range(odd: float) -> None:
    with pytest.raises(ValueError, match=f"{odd} is no probability"):
        calibration_error(np.array([0.5, odd]), TRUE)
    assert calibration_error(np.array([1.0, 1 + 1e-7]), TRUE) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("odd", [-1.0, 100.5, float("nan")])
def test_accuracies_out_of_range(odd: float) -> None:
    for pair in ((odd, 50.0), (50.0, odd)):
        with pytest.raises(ValueError, match="at least 0 and at most 100"):
            harmonic_mean(*pair)
