"""Says when a trained model is no better than guessing, or worse than the zero-shot classifier."""

from __future__ import annotations

import math

import torch

from bmip.evaluation.evaluate import Predictions
from bmip.system.messages import counted

_LEVEL = 0.05
_CURE = "If training diverged, a lower learning rate helps"


def remark(trained: Predictions, zero_shot: Predictions) -> str | None:
    """A warning about a trained model, or None where it is better than guessing and at least as good as zero-shot.

    Guessing means answers that are as frequent as the model's and do not depend on the image. The model counts as
    better where so many right answers have a probability of at most 5 % under guessing (exact binomial test). Where
    all images are of one class, this test is left out; where not even right answers alone would pass it, the images are
    too few. Against zero-shot both answers for the same image are compared (exact McNemar test, one-sided), so that the
    warning says whether chance alone could make the difference.

    Args:
        trained: the predictions of the trained model.
        zero_shot: those of the zero-shot classifier for the same images and classes.

    Raises ValueError for predictions of other images or classes.
    """
    if trained.classes.names != zero_shot.classes.names or not torch.equal(trained.labels, zero_shot.labels):
        raise ValueError("these predictions are of different images or classes: evaluate both models on the same split")
    classes, total = len(trained.classes), trained.total
    labels, answers = (torch.bincount(each, minlength=classes).double() for each in (trained.labels, trained.predicted))
    guessing = float(labels @ answers) / total**2
    if labels.count_nonzero() > 1 and binomial_tail(trained.correct, total, guessing) > _LEVEL:
        if binomial_tail(total, total, guessing) > _LEVEL:
            return f"{counted(total, 'test image')} cannot tell whether the result is better than guessing: take more."
        return (
            f"The result is not clearly better than guessing: {trained.accuracy:.1f} % of {total} test images are "
            f"right with {classes} classes, and guessing gives {100 * guessing:.1f} %. {_CURE}; more test images tell "
            "more."
        )
    if trained.correct >= zero_shot.correct:
        return None
    right, before = trained.labels == trained.predicted, trained.labels == zero_shot.predicted
    lost, won = int((before & ~right).sum()), int((right & ~before).sum())
    certain = binomial_tail(lost, lost + won, 0.5) <= _LEVEL
    told = f"{_CURE}." if certain else "So small a difference can be chance."
    return (
        f"The trained prompts are below zero-shot: {trained.accuracy:.1f} % of {total} test images are right, and "
        f"{zero_shot.accuracy:.1f} % without training. {told}"
    )


def binomial_tail(successes: int, trials: int, chance: float) -> float:
    """The probability of at least so many successes in independent trials, each with the same `chance` in 0..1."""
    if successes <= 0 or chance >= 1:
        return 1.0
    if chance <= 0:
        return 0.0
    logs = (
        math.lgamma(trials + 1)
        - math.lgamma(count + 1)
        - math.lgamma(trials - count + 1)
        + count * math.log(chance)
        + (trials - count) * math.log1p(-chance)
        for count in range(successes, trials + 1)
    )
    return min(1.0, math.fsum(map(math.exp, logs)))
