"""Against scikit-learn, on random shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from bmip.metrics import (
    Count,
    accuracy,
    calibration_error,
    confusion_matrix,
    macro_accuracy,
    macro_f1,
    per_class_accuracy,
    ranks,
    top_accuracy,
)


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    images, classes = draw(st.integers(1, 40)), draw(st.integers(2, 20))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.integers(0, classes, images), generator.integers(0, classes, images), classes


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Logits with many ties, and labels."""
    images, classes = draw(st.integers(1, 30)), draw(st.integers(2, 8))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return generator.integers(0, 4, (images, classes)) / 2, generator.integers(0, classes, images)


def test_accuracy_is_in_percent() -> None:
    assert accuracy(3, 4) == Count(3, 4).percent == 75
    assert accuracy(0, 7) == 0
    for correct, total in ((0, 0), (5, 4), (-1, 4)):
        with pytest.raises(ValueError, match=f"{correct} of {total} correct is no accuracy"):
            accuracy(correct, total)


@given(judged())
def test_confusion_and_what_follows_from_it(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    labels, predicted, classes = case
    found = confusion_matrix(labels, predicted, classes)
    assert (confusion_matrix(labels.astype(np.int8), predicted.astype(np.int8), classes) == found).all()
    assert (found == reference.confusion_matrix(labels, predicted, labels=range(classes))).all()
    recalls = [100 * np.mean(predicted[labels == c] == c) if (labels == c).any() else np.nan for c in range(classes)]
    np.testing.assert_allclose(per_class_accuracy(found), recalls)
    recall = reference.recall_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    assert macro_accuracy(found) == pytest.approx(100 * recall)
    f1 = reference.f1_score(labels, predicted, average="macro", zero_division=0)
    assert macro_f1(found) == pytest.approx(100 * f1)


@given(scored(), st.integers(1, 8))
def test_ranks(case: tuple[np.ndarray, np.ndarray], k: int) -> None:
    logits, labels = case
    found = ranks(logits, labels)
    order = np.argsort(-logits, axis=1, kind="stable")  # of equal ones the first class leads, as in argmax
    assert found.tolist() == [row.tolist().index(label) for row, label in zip(order, labels, strict=True)]
    assert ((found == 0) == (logits.argmax(1) == labels)).all()
    assert top_accuracy(found, k) == pytest.approx(
        100 * np.mean([label in row[:k] for row, label in zip(order, labels, strict=True)])
    )


def test_top_five_without_ties_is_scikit_learns() -> None:
    logits = np.random.default_rng(1).normal(size=(200, 9))
    labels = np.random.default_rng(2).integers(0, 9, 200)
    expected = 100 * reference.top_k_accuracy_score(labels, logits, k=5, labels=range(9))
    assert top_accuracy(ranks(logits, labels)) == pytest.approx(expected)


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_calibration_error(images: int, bins: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    probability, right = generator.random(images), generator.random(images) < 0.5
    total = 0.0
    for bin in range(bins):
        inside = (probability > bin / bins) & (probability <= (bin + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - probability[inside].mean())
    assert calibration_error(probability, right, bins) == pytest.approx(100 * total, abs=1e-9)


def test_a_sure_model_is_calibrated_if_it_is_right() -> None:
    sure, right = np.ones(4, dtype=np.float32), np.array([True, True, True, True])
    assert calibration_error(sure, right) == 0
    assert calibration_error(sure, ~right) == 100
    assert calibration_error(np.zeros(4), right) == 100


def test_a_probability_just_above_1_is_in_the_last_bin() -> None:
    """Single precision gives such; alone in a bin the second image would make it (5 + 100) / 2."""
    found = calibration_error(np.array([0.95, 1 + 1e-6]), np.array([True, False]))
    assert found == pytest.approx(100 * (1 - 0.05) / 2, abs=1e-3)


def test_nothing_judged() -> None:
    empty = np.zeros(0, dtype=int)
    with pytest.raises(ValueError, match="counts no image"):
        macro_f1(confusion_matrix(empty, empty, 3))
    with pytest.raises(ValueError, match="0 images in 15 bins"):
        calibration_error(empty.astype(float), empty.astype(bool))
    with pytest.raises(ValueError, match="top-0"):
        top_accuracy(np.array([1]), 0)
