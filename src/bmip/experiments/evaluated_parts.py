"""What a protocol trains on and evaluates, and the plain ways to evaluate."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bmip.data.dataset import DataError, Dataset
from bmip.data.sampling import sample_few_shot
from bmip.evaluation.evaluate import Predictions, evaluate, evaluate_logits
from bmip.experiments.trial import Trial
from bmip.metrics import Count, calibration_error, confusion_matrix, macro_accuracy, macro_f1, top_accuracy
from bmip.prompting.model import PromptedCLIP
from bmip.system.messages import first_few

LabelsAndLogits = tuple[Int64[Tensor, " image"], Float[Tensor, "image class"]]

Load = Callable[[str], Dataset]
"""Loads a data set by its name."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The data sets of one trial."""

    train: Dataset
    """The images to train on, after few-shot draw and choice of classes. The test split is evaluated after training."""

    evaluated: Mapping[str, Dataset]
    """By name: the test split of each is classified among its own classes. `train` may be one of them."""

    template_from: Dataset | None = None
    """The data set whose validation images select the zero-shot template; None for the data set trained on."""


def few_shot(trial: Trial, load: Load) -> Dataset:
    """The data set that the trial trains on, with the few-shot draw made."""
    return sample_few_shot(load(trial.run.data), trial.run.shots, trial.run.data_seed)


def check_images(dataset: Dataset, which: str, among: Iterable[int] | None = None, split: str = "test") -> None:
    """Raises DataError where the test split has no image of the classes `among`, which are all classes by default.

    `which` and `split` are words of the message: which classes these are, and which images the split holds.
    """
    chosen = sorted(range(len(dataset.classes)) if among is None else among)
    if set(chosen).isdisjoint(dataset.test.labels):
        names = first_few(repr(dataset.classes.names[label]) for label in chosen)
        raise DataError(
            f"the {split} split of {dataset.name} has no images of {which} ({names}): "
            f"give {split} images of some of them, or leave these classes out"
        )


@dataclass(frozen=True, eq=False)
class Trained:
    """A trial whose model is ready to be evaluated."""

    trial: Trial
    model: PromptedCLIP
    parts: Parts
    own: Predictions | None = None
    """The predictions for the test split of `parts.train`, where that was evaluated after training."""

    known: dict[Hashable, LabelsAndLogits] = field(default_factory=dict)
    """What `labels_and_logits` has returned for this model, also to other trials that share it."""

    def predictions(self, part: str) -> Predictions:
        """The predictions for the test split of a part, which is not evaluated twice."""
        dataset = self.parts.evaluated[part]
        if dataset is self.parts.train and self.own is not None:
            return self.own
        return evaluate(self.model, dataset.test, dataset.classes)

    def labels_and_logits(self, part: str) -> LabelsAndLogits:
        """The labels of a part's test images and their logits over its classes, which are computed once."""
        dataset = self.parts.evaluated[part]
        asked = dataset.name, dataset.classes, dataset.test.labels
        if asked not in self.known:
            self.known[asked] = evaluate_logits(self.model, dataset.test, dataset.classes)
        return self.known[asked]


@dataclass(frozen=True)
class Evaluated:
    """The numbers of one trial."""

    counts: Mapping[str, Count]
    """Evaluated images and how many are right, by the name of the part."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """In percent, by the name of the metric."""

    predictions: Mapping[str, Predictions] = field(default_factory=dict)
    """For each image of a part, where the protocol has made such."""


def evaluate_parts(trained: Trained) -> Evaluated:
    """The accuracy of each part, and its other metrics: "base_macro_f1" of the part "base", "macro_f1" of "all"."""
    counts, scores, predictions = {}, {}, {}
    for part in trained.parts.evaluated:
        found = predictions[part] = trained.predictions(part)
        counts[part] = Count(found.correct, found.total)
        scores |= {name if part == "all" else f"{part}_{name}": score for name, score in _scores(found).items()}
    return Evaluated(counts, scores, predictions)


def _scores(found: Predictions) -> dict[str, float]:
    labels, predicted = found.labels.numpy(), found.predicted.numpy()
    confusion = confusion_matrix(labels, predicted, len(found.classes))
    return {
        "macro_accuracy": macro_accuracy(confusion),
        "macro_f1": macro_f1(confusion),
        "calibration_error": calibration_error(found.probability.numpy(), predicted == labels),
        "top5": top_accuracy(found.rank.numpy(), 5),
    }


@dataclass(frozen=True, eq=False)
class Joint:
    """The test images of a data set with their logits over all its classes."""

    model: PromptedCLIP
    dataset: Dataset
    labels: Int64[Tensor, " image"]
    logits: Float[Tensor, "image class"]

    @classmethod
    def of(cls, trained: Trained, part: str) -> Joint:
        """The logits of a part's test images."""
        return cls(trained.model, trained.parts.evaluated[part], *trained.labels_and_logits(part))

    def predictions(self) -> Predictions:
        """The predictions among all classes."""
        return Predictions.of_logits(self.dataset.test, self.dataset.classes, self.labels, self.logits)

    def among(self, chosen: Sequence[int]) -> Float[Tensor, "image chosen"]:
        """Logits of all images as if there were only these classes."""
        if not self.model.reads_classes:
            return self.logits[:, torch.tensor(chosen)]
        classes = self.dataset.classes
        fewer = replace(classes, names=tuple(classes.names[label] for label in chosen))
        return evaluate_logits(self.model, self.dataset.test, fewer)[1]
