"""Chooses the template of a method without trainable parameters on validation images."""

from __future__ import annotations

from dataclasses import replace

from bmip.data.batches import EvalBatches
from bmip.data.dataset import Dataset
from bmip.evaluation.logits import batch_logits
from bmip.experiments.evaluated_parts import Parts
from bmip.prompting.model import PromptedCLIP

BATCH = 100


def best_template(model: PromptedCLIP, dataset: Dataset) -> str | None:
    """The template of the data set with which the model is best on the validation images of all classes.

    Of equally good ones it is the first. None for a data set without validation images of its own.
    """
    classes = dataset.classes
    if dataset.val is None or dataset.val_is_test:
        return None
    named = [replace(classes, template=text) for text in dict.fromkeys((classes.template, *classes.templates))]
    right = [0] * len(named)
    batches = EvalBatches(dataset.val, model.clip.config.image_size, BATCH)
    for labels, logits in batch_logits(model, batches, named):
        for position, each in enumerate(logits):
            right[position] += int((each.argmax(-1) == labels).sum())
    return named[right.index(max(right))].template


def with_template(parts: Parts, template: str) -> Parts:
    """The same parts, with their class names in another template."""

    def renamed(dataset: Dataset) -> Dataset:
        return replace(dataset, classes=replace(dataset.classes, template=template))

    train = renamed(parts.train)
    evaluated = {name: train if own is parts.train else renamed(own) for name, own in parts.evaluated.items()}
    return replace(parts, train=train, evaluated=evaluated)
