"""Images of none of the classes: the threshold below which an image counts as unknown, and how it is chosen."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

import numpy as np
from jaxtyping import Float

from bmip.class_names import ClassNames, as_read
from bmip.data.dataset import DataError, Dataset
from bmip.evaluation.evaluate import evaluate_logits
from bmip.evaluation.predict import Prediction
from bmip.metrics import auroc
from bmip.prompting.model import PromptedCLIP
from bmip.system.messages import first_few

Score = Literal["similarity", "probability"]
SCORES: tuple[Score, ...] = get_args(Score)
MEANING: dict[Score, str] = {
    "similarity": "the largest logit of an image, divided by CLIP's scale",
    "probability": "the probability of the most probable class among the names that are asked about",
}


@dataclass(frozen=True)
class Threshold:
    """An image is unknown where its score is below this."""

    value: float
    score: Score = "probability"
    """What is compared with it; `MEANING` says what the scores are."""

    def unknown(self, prediction: Prediction) -> bool:
        """Whether the image of this prediction is none of the classes that were asked about."""
        return score_of(prediction, self.score) < self.value


def score_of(prediction: Prediction, score: Score) -> float:
    """The score of a prediction: higher for an image of one of the classes."""
    return prediction.similarity if score == "similarity" else prediction.guesses[0].probability


@dataclass(frozen=True)
class Calibration:
    """A threshold that was chosen on images, and what to expect of it."""

    threshold: Threshold
    false_alarms: float
    """The expected share, in 0..1, of images of known classes that are taken for unknown."""

    images: int
    """How many images of known classes it was chosen on."""

    found: float | None
    """The share, in 0..1, of images of other classes that are taken for unknown; None where there were none."""

    others: int
    """How many images of other classes there were."""

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Calibration:
        """What `to_json` wrote. Raises KeyError, TypeError or ValueError for anything else."""
        said = content["threshold"]
        return cls(**{**content, "threshold": Threshold(float(said["value"]), score_named(said["score"]))})


def score_named(name: str) -> Score:
    """The score of this name. Raises ValueError for a name that is none."""
    if name not in SCORES:
        raise ValueError(f"the score is {name!r}; it must be one of {', '.join(SCORES)}")
    return cast(Score, name)


def validation_scores(
    model: PromptedCLIP, dataset: Dataset, classes: ClassNames
) -> tuple[dict[Score, np.ndarray], dict[Score, np.ndarray]]:
    """The scores of the validation images whose class is among `classes`, and those of the other validation images.

    Raises DataError for a data set without validation images of its own, and where none of its classes is known.
    """
    if dataset.val is None or not len(dataset.val) or dataset.val_is_test:
        lack = "is validated on its test images" if dataset.val_is_test else "has no validation images"
        raise DataError(f"{dataset.name} {lack}: a threshold must be chosen on images that nothing else is judged by")
    asked = set(map(as_read, classes.names))
    known = np.array([as_read(dataset.classes.names[label]) in asked for label in dataset.val.labels])
    if not known.any():
        raise DataError(
            f"{dataset.name} has no validation images of {first_few(classes.names)}: its classes are "
            f"{first_few(dataset.classes.names)}"
        )
    split = replace(dataset.val, labels=(0,) * len(dataset.val))  # labels play no part, and may be none of the classes
    logits = evaluate_logits(model, split, classes)[1]
    found: dict[Score, np.ndarray] = {
        "similarity": (logits.amax(-1) / float(model.clip.scale)).double().numpy(),
        "probability": logits.softmax(-1).amax(-1).double().numpy(),
    }
    return {name: each[known] for name, each in found.items()}, {name: each[~known] for name, each in found.items()}


def calibrate(
    known: Float[np.ndarray, " image"], other: Float[np.ndarray, " other"], score: Score, false_alarms: float
) -> Calibration:
    """The highest threshold with at most this expected share of false alarms.

    Of n images of known classes the k-th lowest score is the threshold; then the score of a new such image is below it
    with probability at most k / (n + 1), whatever the scores are like. (the rank of a new value among n + 1)

    Args:
        known: scores of images of the classes that are asked about.
        other: scores of images of other classes; there may be none.
        score: what the scores are.
        false_alarms: in 0..1, without the ends.

    Raises:
        ValueError: for a share out of range, and for too few images of known classes.
    """
    if not 0 < false_alarms < 1:
        raise ValueError(f"a share of {false_alarms:g} false alarms cannot be asked for: give more than 0, less than 1")
    place = math.floor(round(false_alarms * (len(known) + 1), 9))
    if place < 1:
        raise ValueError(
            f"{len(known)} images of known classes are too few for a share of {false_alarms:g} false alarms: "
            f"{math.ceil(1 / false_alarms) - 1} are needed; give more images, or allow more false alarms"
        )
    value = float(np.sort(known)[place - 1])
    found = float(np.mean(other < value)) if len(other) else None
    return Calibration(Threshold(value, score), place / (len(known) + 1), len(known), found, len(other))


def better_score(known: dict[Score, np.ndarray], other: dict[Score, np.ndarray]) -> Score:
    """The score that tells images of known classes from others better, by the area under the ROC curve.

    A score that is the same for all images tells nothing, such as the probability of the only class.
    """
    telling: list[Score] = [score for score in SCORES if np.ptp([*known[score], *other[score]]) > 0]
    return max(telling or list(SCORES), key=lambda score: auroc(known[score], other[score]))
