"""Ranking metrics against scikit-learn and against every pair; the open world against plain sentences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from bmip.metrics import auroc, false_positives, harmonic_mean, open_world, openworld_auc


@st.composite
def detected(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores of base and novel images with ties, and which are classified right."""
    base, novel = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    steps = draw(st.sampled_from([2, 5, 1000]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return (
        generator.integers(0, steps, base) / steps,
        generator.random(base) < 0.7,
        generator.integers(0, steps, novel) / steps,
        generator.random(novel) < 0.7,
    )


def roc(base: np.ndarray, novel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([np.ones(len(base)), np.zeros(len(novel))]), np.concatenate([base, novel])


@given(detected())
def test_auroc(case: tuple[np.ndarray, ...]) -> None:
    base, _, novel, _ = case
    assert auroc(base, novel) == pytest.approx(100 * reference.roc_auc_score(*roc(base, novel)))


@given(detected(), st.sampled_from([50.0, 80.0, 95.0, 100.0]))
def test_false_positives(case: tuple[np.ndarray, ...], accepted: float) -> None:
    base, _, novel, _ = case
    false, true, _ = reference.roc_curve(*roc(base, novel), drop_intermediate=False)
    expected = 100 * false[true >= accepted / 100 - 1e-12].min()
    assert false_positives(base, novel, accepted) == pytest.approx(expected)


def test_fpr95_accepts_95_of_100_base_images() -> None:
    """Of 1 to 200, the highest 190 are those from 11."""
    base = np.arange(1.0, 201.0)
    assert false_positives(base, np.array([11.0, 10.5])) == 50


@given(detected())
def test_openworld_auc_over_all_pairs(case: tuple[np.ndarray, ...]) -> None:
    base, base_right, novel, novel_right = case
    pairs = (
        b_right * n_right * ((b > n) + 0.5 * (b == n))
        for b, b_right in zip(base, base_right, strict=True)
        for n, n_right in zip(novel, novel_right, strict=True)
    )
    assert openworld_auc(*case) == pytest.approx(100 * sum(pairs) / (len(base) * len(novel)))


@given(detected())
def test_openworld_auc_as_the_area_under_a_changed_curve(case: tuple[np.ndarray, ...]) -> None:
    """As the authors compute it, but for the borders: they set a wrong base image just below the lowest novel one,
    which may be above all base ones."""
    base, base_right, novel, novel_right = case
    changed_base = np.where(base_right, base, -1.0)
    changed_novel = np.where(novel_right, novel, 2.0)
    expected = reference.roc_auc_score(*roc(changed_base, changed_novel))
    assert openworld_auc(*case) == pytest.approx(100 * expected)


@given(detected())
def test_openworld_auc_identities(case: tuple[np.ndarray, ...]) -> None:
    base, base_right, novel, novel_right = case
    found = openworld_auc(*case)
    smallest = min(100 * base_right.mean(), 100 * novel_right.mean(), auroc(base, novel))
    assert found <= smallest + 1e-9
    right = np.ones_like
    assert openworld_auc(base, right(base_right), novel, right(novel_right)) == auroc(base, novel)
    assert openworld_auc(base, ~right(base_right), novel, novel_right) == 0
    assert openworld_auc(base + 2.0, right(base_right), novel, right(novel_right)) == 100


def test_many_images_need_no_pairs() -> None:
    """10 000 times 10 000 pairs as bytes would be 100 MB; ranks take milliseconds."""
    generator = np.random.default_rng(3)
    base, novel = generator.normal(1, 1, 10_000), generator.normal(0, 1, 10_000)
    expected = 100 * reference.roc_auc_score(*roc(base, novel))
    assert auroc(base, novel) == pytest.approx(expected)


@st.composite
def world(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    base, novel = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.concatenate([[0, base], generator.integers(0, base + novel, draw(st.integers(0, 30)))])
    return labels, generator.normal(size=(len(labels), base + novel)).astype(np.float32), base


@given(world())
def test_open_world_image_by_image(case: tuple[np.ndarray, np.ndarray, int]) -> None:
    labels, logits, base = case
    found = open_world(labels, logits, logits[:, :base], logits[:, base:])
    tally = {name: [] for name in ("base", "novel", "base_joint", "novel_joint", "joint")}
    scores = {"base": [], "novel": []}
    for label, row in zip(labels.tolist(), logits.astype(float).tolist(), strict=True):
        half = "base" if label < base else "novel"
        own = range(base) if half == "base" else range(base, len(row))
        tally[half].append(max(own, key=row.__getitem__) == label)
        right = max(range(len(row)), key=row.__getitem__) == label
        tally[f"{half}_joint"].append(right)
        tally["joint"].append(right)
        exponents = np.exp(row[:base])
        scores[half].append(max(exponents) / sum(exponents))
    for name, right in tally.items():
        assert getattr(found, name) == (sum(right), len(right))
    assert found.h == harmonic_mean(found.base.percent, found.novel.percent)
    curve = roc(np.array(scores["base"]), np.array(scores["novel"]))
    assert found.auroc == pytest.approx(100 * reference.roc_auc_score(*curve))
    assert found.fpr95 == false_positives(np.array(scores["base"]), np.array(scores["novel"]))
    assert found.openworld_auc <= min(found.base.percent, found.novel.percent, found.auroc) + 1e-9
    assert found.base_joint.correct <= found.base.correct and found.novel_joint.correct <= found.novel.correct


def test_the_open_world_needs_images_of_both_halves() -> None:
    logits = np.zeros((2, 4))
    with pytest.raises(ValueError, match="there are 2 base and 0 novel images"):
        open_world(np.array([0, 1]), logits, logits[:, :2], logits[:, 2:])
    with pytest.raises(ValueError, match="at least one of each"):
        auroc(np.array([0.5]), np.array([]))


@pytest.mark.parametrize("accepted", [0.0, 100.5])
def test_shares_of_base_images_that_cannot_be_accepted(accepted: float) -> None:
    one = np.array([0.5])
    with pytest.raises(ValueError, match=f"{accepted} percent"):
        false_positives(one, one, accepted)
    assert false_positives(one, one, accepted=0.5) == 100
