"""Evaluates a model on a split: the predicted class of every image, and how many are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.batches import EvalBatches
from bmip.data.dataset import Split
from bmip.evaluation.logits import batch_logits
from bmip.metrics import Count, accuracy, ranks
from bmip.prompting.model import PromptedCLIP
from bmip.system.messages import counted


@dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions for a split, in the order of its images. Labels are indices into `classes.names`."""

    classes: ClassNames
    images: tuple[str, ...]
    """The name of each image: its file where it has one."""

    labels: Int64[Tensor, " image"]
    predicted: Int64[Tensor, " image"]
    probability: Float[Tensor, " image"]
    """The probability of the predicted class among `classes`, 0 to 1."""

    rank: Int64[Tensor, " image"]
    """How many classes are more probable than the right one; 0 where the prediction is right."""

    @classmethod
    def of_logits(
        cls, split: Split, classes: ClassNames, labels: Int64[Tensor, " image"], logits: Float[Tensor, "image class"]
    ) -> Predictions:
        """The predictions that the logits of a split's images over `classes` stand for."""
        return cls(classes, _names(split), labels, *_answers(labels, logits))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> int:
        """The number of images whose prediction is right."""
        return int((self.labels == self.predicted).sum())

    @property
    def total(self) -> int:
        """The number of images."""
        return len(self)

    @property
    def accuracy(self) -> float:
        """The accuracy in percent."""
        return accuracy(self.correct, self.total)

    def per_class(self) -> tuple[Count, ...]:
        """Correct and total of each class, in the order of the classes; a class without images has 0 of 0."""
        totals = torch.bincount(self.labels, minlength=len(self.classes))
        hits = torch.bincount(self.labels[self.labels == self.predicted], minlength=len(self.classes))
        return tuple(Count(*pair) for pair in zip(hits.tolist(), totals.tolist(), strict=True))


def evaluate(
    model: PromptedCLIP,
    split: Split,
    classes: ClassNames,
    batch: int = 100,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Classify every image of a split among `classes`, on the model's own device.

    Args:
        model: evaluated as it is; its mode is the same afterwards.
        split: its labels are indices into `classes.names`.
        classes: any class names, not only those of training.
        batch: images at a time; the predictions do not depend on it, up to rounding, unless the method's prompts read
            the whole batch (`Prompter.reads_batch`).
        progress: called after each batch with the number of batches done and of all.

    Raises:
        LogitsError: where a logit is not finite.
        ValueError: where the split is empty, or a label is none of the classes.
    """
    if len(split) and max(split.labels) >= len(classes):
        raise ValueError(
            f"an image is of class {max(split.labels)}, counted from 0, and the names of "
            f"{counted(len(classes), 'class')} were given: give those that the split's labels mean"
        )
    batches = _batches(model, split, batch)
    found = []
    for done, (truth, (logits,)) in enumerate(batch_logits(model, batches, [classes]), start=1):
        found.append((truth, *_answers(truth, logits)))
        if progress is not None:
            progress(done, len(batches))
    return Predictions(classes, _names(split), *map(torch.cat, zip(*found, strict=True)))


def evaluate_logits(
    model: PromptedCLIP, split: Split, classes: ClassNames, batch: int = 100
) -> tuple[Int64[Tensor, " image"], Float[Tensor, "image class"]]:
    """The labels of a split, and the logits of its images over `classes`: for metrics over several label spaces.

    Raises what `evaluate` raises.
    """
    labels, logits = zip(*batch_logits(model, _batches(model, split, batch), [classes]), strict=True)
    return torch.cat(labels), torch.cat([each for (each,) in logits])


def accuracy_on(model: PromptedCLIP, split: Split, classes: ClassNames, batch: int = 100) -> Callable[[], float]:
    """A function that returns the model's present accuracy in percent; images are decoded in its first
    call only, as far as memory is kept for them.

    Raises what `evaluate` raises.
    """
    batches = _batches(model, split, batch)

    def measure() -> float:
        right = [truth == logits.argmax(-1) for truth, (logits,) in batch_logits(model, batches, [classes])]
        return Count.of(torch.cat(right).numpy()).percent

    return measure


def _answers(labels: Int64[Tensor, " image"], logits: Float[Tensor, "image class"]) -> tuple[Tensor, Tensor, Tensor]:
    """The predicted class of each image, its probability, and the rank of the right class."""
    best = logits.argmax(-1)  # probabilities that differ little may be rounded to the same
    most = logits.softmax(-1).gather(-1, best[:, None])[:, 0]
    return best, most.float(), torch.from_numpy(ranks(logits.numpy(), labels.numpy()))


def _names(split: Split) -> tuple[str, ...]:
    return tuple(split.images.name(index) for index in range(len(split)))


def _batches(model: PromptedCLIP, split: Split, batch: int) -> EvalBatches:
    if not len(split):
        raise ValueError("the split has no images: give at least one to evaluate on")
    return EvalBatches(split, model.clip.config.image_size, batch)
