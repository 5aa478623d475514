"""What a model makes of a split: each image's class, and how many are right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.clip.texts import ClassNames
from bmip.data.dataset import Split
from bmip.data.loading import EvalBatches
from bmip.data.transforms import normalise
from bmip.metrics import Count, accuracy
from bmip.prompted import PromptedCLIP


@dataclass(frozen=True, eq=False)
class Predictions:
    """A judged split, in its order. Labels are indices into `classes.names`."""

    classes: ClassNames
    images: tuple[str, ...]
    labels: Int64[Tensor, " image"]
    predicted: Int64[Tensor, " image"]
    probability: Float[Tensor, " image"]
    """Of the predicted class among `classes`."""

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
    Raises ValueError where a logit is not finite.
    """
    batches = EvalBatches(split, model.clip.config.image_size, batch)
    labels, predicted, probability = _judge(model, batches, classes, progress)
    names = tuple(split.images.name(index) for index in range(len(split)))
    return Predictions(classes, names, labels, predicted, probability)


def accuracy_on(model: PromptedCLIP, split: Split, classes: ClassNames, batch: int = 100) -> Callable[[], float]:
    """A function that judges the model as it then is, in percent; images are decoded in its first call."""
    batches = EvalBatches(split, model.clip.config.image_size, batch)

    def judge() -> float:
        labels, predicted, _ = _judge(model, batches, classes)
        return accuracy(int((labels == predicted).sum()), len(labels))

    return judge


@contextmanager
def judging(model: nn.Module):
    """Evaluation mode, and back to the mode that was."""
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training


def _judge(
    model: PromptedCLIP,
    batches: EvalBatches,
    classes: ClassNames,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Labels, predicted classes and their probabilities, on the CPU."""
    device, config = model.clip.logit_scale.device, model.clip.config
    labels, predicted, probability = [], [], []
    # Not inference mode: sentences laid out here are kept in the model and must serve training as well.
    with judging(model), torch.no_grad():
        classify = model.classifier(classes)
        for done, (pixels, truth) in enumerate(batches, start=1):
            shares = classify(normalise(pixels.to(device), config.mean, config.std)).softmax(-1)
            most, best = shares.max(-1)
            labels.append(truth)
            predicted.append(best.cpu())
            probability.append(most.cpu())
            if progress is not None:
                progress(done, len(batches))
    if not labels:
        raise ValueError("the split has no images: give at least one to judge")
    if not torch.cat(probability).isfinite().all():
        raise ValueError("the model's logits are not finite: its learned tensors or its CLIP are damaged")
    return torch.cat(labels), torch.cat(predicted), torch.cat(probability).float()
