"""Base to novel: train on one half of the classes, evaluate both halves. (CoCoOp, section 4.1)"""

from __future__ import annotations

from bmip.data.sampling import split_base_novel
from bmip.experiments.evaluated_parts import Load, Parts, check_images, few_shot
from bmip.experiments.protocol import Protocol
from bmip.experiments.trial import Trial


def _parts(trial: Trial, load: Load) -> Parts:
    """Shots are drawn from all classes before these are halved, as in the released code."""
    base, novel = split_base_novel(few_shot(trial, load), trial.run.base)
    check_images(base, "the base classes")
    check_images(novel, "the novel classes")
    return Parts(base, {"base": base, "novel": novel})


PROTOCOL = Protocol(
    "base-to-novel",
    "The first half of a data set's classes is base, the rest novel. Prompts are trained on the few-shot images of the "
    "base classes; base test images are then classified among the base names, novel test images among the novel names, "
    "which training has never seen. The harmonic mean of both accuracies is what is compared.",
    _parts,
    classes="base",
)
