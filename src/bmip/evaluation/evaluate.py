"""What a model makes of a split: each image's class, and how many are right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.data.batches import EvalBatches
from bmip.data.dataset import Split
from bmip.data.transforms import normalise
from bmip.metrics import Count, accuracy, ranks
from bmip.prompting.model import PromptedCLIP


class LogitsError(ValueError):
    """A model that cannot be judged, because its logits are no numbers."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """A judged split, in its order. Labels are indices into `classes.names`."""

    classes: ClassNames
    images: tuple[str, ...]
    labels: Int64[Tensor, " image"]
    predicted: Int64[Tensor, " image"]
    probability: Float[Tensor, " image"]
    """Of the predicted class among `classes`."""

    rank: Int64[Tensor, " image"] | None = None
    """Classes that are likelier than the right one; None for runs that were made before this was written down."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def correct(self) -> int:
        return int((self.labels == self.predicted).sum())

    @property
    def total(self) -> int:
        return len(self)

    @property
    def accuracy(self) -> float:
        """Percent."""
        return accuracy(self.correct, self.total)

    def per_class(self) -> tuple[Count, ...]:
        """In the order of the classes; a class without images has 0 of 0."""
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

    The classes' features are computed once, not per batch. `progress` is called with batches done and batches in all.
    Raises LogitsError where a logit is not finite, ValueError where a label is none of the classes.
    """
    if len(split) and max(split.labels) >= len(classes):
        raise ValueError(
            f"an image is of class {max(split.labels)}, counted from 0, and {len(classes)} classes were given: give "
            "those that the split's labels mean"
        )
    names = tuple(split.images.name(index) for index in range(len(split)))
    labels, predicted, probability, rank = [], [], [], []
    for truth, logits in _judged(model, EvalBatches(split, model.clip.config.image_size, batch), classes, progress):
        most, best = logits.softmax(-1).max(-1)
        labels.append(truth)
        predicted.append(best)
        probability.append(most.float())
        rank.append(torch.from_numpy(ranks(logits.numpy(), truth.numpy())))
    return Predictions(classes, names, *map(torch.cat, (labels, predicted, probability, rank)))


def evaluate_logits(
    model: PromptedCLIP, split: Split, classes: ClassNames, batch: int = 100
) -> tuple[Int64[Tensor, " image"], Float[Tensor, "image class"]]:
    """The labels of a split and every image's logits over all classes: what several label spaces are judged by."""
    batches = EvalBatches(split, model.clip.config.image_size, batch)
    labels, logits = zip(*_judged(model, batches, classes), strict=True)
    return torch.cat(labels), torch.cat(logits)


def accuracy_on(model: PromptedCLIP, split: Split, classes: ClassNames, batch: int = 100) -> Callable[[], float]:
    """A function that judges the model as it then is, in percent; images are decoded in its first call."""
    batches = EvalBatches(split, model.clip.config.image_size, batch)

    def judge() -> float:
        right = [truth == logits.argmax(-1) for truth, logits in _judged(model, batches, classes)]
        return Count.of(torch.cat(right).numpy()).percent

    return judge


@contextmanager
def evaluation_mode(model: nn.Module):
    """Evaluation mode, and back to the mode that was."""
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


def _judged(
    model: PromptedCLIP,
    batches: EvalBatches,
    classes: ClassNames,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Labels and logits of each batch, on the CPU."""
    device, config = model.clip.device, model.clip.config
    if not len(batches):
        raise ValueError("the split has no images: give at least one to judge")
    # Not inference mode: sentences laid out here are kept in the model and must serve training as well.
    with evaluation_mode(model), torch.no_grad():
        classify = model.classifier(classes)
        for done, (pixels, truth) in enumerate(batches, start=1):
            logits = classify(normalise(pixels.to(device), config.mean, config.std)).cpu()
            if not logits.isfinite().all():
                raise LogitsError(
                    "the model's logits are not finite: training has diverged (lower the learning rate), or its CLIP "
                    "or its trainable parameters are damaged"
                )
            yield truth, logits
            if progress is not None:
                progress(done, len(batches))
