"""What is said about a result at chance or below zero-shot, with probabilities checked against scipy."""

import pytest
import torch
from scipy import stats

from bmip.class_names import ClassNames
from bmip.evaluation.evaluate import Predictions
from bmip.evaluation.verdict import binomial_tail, remark


def predictions(labels: list[int], predicted: list[int], classes: int) -> Predictions:
    truth = torch.tensor(labels)
    names = ClassNames(tuple(f"class {number}" for number in range(classes)))
    return Predictions(
        names, ("",) * len(labels), truth, torch.tensor(predicted), torch.ones(len(labels)), torch.zeros_like(truth)
    )


LABELS = [label for label in range(7) for _ in range(100)]
GOOD = predictions(LABELS, [label if n % 10 else 0 for n, label in enumerate(LABELS)], 7)


def wrong(of: Predictions, count: int) -> Predictions:
    """The same, with the first `count` right answers made wrong."""
    predicted = of.predicted.clone()
    hits = torch.nonzero(of.labels == of.predicted)[:count, 0]
    predicted[hits] = (predicted[hits] + 1) % len(of.classes)
    return predictions(of.labels.tolist(), predicted.tolist(), len(of.classes))


def test_a_result_that_guessing_gives_too_is_named() -> None:
    one_class_for_all = predictions(LABELS, [3] * 700, 7)
    assert remark(one_class_for_all, GOOD) == (
        "The result is not clearly better than guessing: 14.3 % of 700 test images are right with 7 classes, and "
        "guessing gives 14.3 %. If training diverged, a lower learning rate helps; more test images tell more."
    )
    drawn = torch.randint(0, 7, (700,), generator=torch.Generator().manual_seed(0)).tolist()
    assert "not clearly better than guessing" in str(remark(predictions(LABELS, drawn, 7), one_class_for_all))


def test_the_frequent_class_for_all_is_guessing_though_it_is_often_right() -> None:
    labels = [0] * 90 + [1] * 10
    assert "90.0 % of 100 test images are right with 2 classes, and guessing gives 90.0 %" in str(
        remark(predictions(labels, [0] * 100, 2), predictions(labels, [1] * 100, 2))
    )


def test_a_result_above_chance_and_zero_shot_needs_no_remark() -> None:
    assert remark(GOOD, GOOD) is None
    assert remark(GOOD, wrong(GOOD, 50)) is None


def test_images_of_one_class_cannot_tell_chance() -> None:
    alone = predictions([2] * 20, [2] * 20, 7)
    assert remark(alone, alone) is None


def test_too_few_images_are_no_fault_of_the_training() -> None:
    few = predictions([0, 0, 1, 1], [0, 0, 1, 1], 2)  # right by guessing with probability 1/16
    assert remark(few, few) == "4 test images cannot tell whether the result is better than guessing: take more."
    enough = predictions([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1], 2)  # 1/64
    assert remark(enough, enough) is None


def test_below_zero_shot_says_whether_chance_can_explain_it() -> None:
    clearly, barely = (str(remark(wrong(GOOD, count), GOOD)) for count in (100, 3))
    assert clearly.startswith(
        "The trained prompts are below zero-shot: 77.1 % of 700 test images are right, and 91.4 %"
    )
    assert "learning rate" in clearly and "can be chance" not in clearly
    assert barely.endswith("So small a difference can be chance.")


def test_predictions_of_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match="different images or classes"):
        remark(GOOD, predictions(LABELS[::-1], LABELS, 7))


@pytest.mark.parametrize(
    ("successes", "trials", "chance"),
    [(0, 5, 0.3), (5, 5, 0.3), (6, 12, 1 / 3), (120, 700, 1 / 7), (30000, 50000, 0.6)],
)
def test_the_tail_is_that_of_scipy(successes: int, trials: int, chance: float) -> None:
    gold = stats.binomtest(successes, trials, chance, alternative="greater").pvalue
    assert binomial_tail(successes, trials, chance) == pytest.approx(gold, rel=1e-6)


def test_the_tail_at_certain_chances() -> None:
    assert (binomial_tail(1, 5, 0.0), binomial_tail(5, 5, 1.0), binomial_tail(0, 5, 0.0)) == (0.0, 1.0, 1.0)
