"""Ratio sweep: label spaces in which base classes give way to novel ones. (BMIP's released code)"""

from __future__ import annotations

import random

import torch

from bmip.experiments.evaluated_parts import Evaluated, Joint, Load, Parts, Trained, check_images
from bmip.experiments.protocol import Protocol
from bmip.experiments.protocols.open_world import joint_parts
from bmip.experiments.trial import Trial
from bmip.metrics import Count

RATIOS = tuple(range(100, -1, -10))
"""Percent of base classes."""


def label_spaces(base: int, novel: int, seed: int) -> dict[int, tuple[int, ...]]:
    """The classes of each ratio, rounded down: as many as there are base classes, if there are enough novel ones.

    Each half is drawn in one order, so that from one ratio to the next the fewest classes change.
    """
    stream = random.Random(seed)
    old, new = stream.sample(range(base), base), stream.sample(range(base, base + novel), novel)
    spaces = {}
    for ratio in RATIOS:
        kept = base * ratio // 100
        spaces[ratio] = (*sorted(old[:kept]), *sorted(new[: base - kept]))
    return spaces


def _parts(trial: Trial, load: Load) -> Parts:
    parts = joint_parts(trial, load)
    for ratio, chosen in _spaces(parts, trial.run.data_seed).items():
        which = f"the label space with {ratio} % of the base classes that seed {trial.run.data_seed} draws"
        check_images(parts.evaluated["joint"], which, chosen)
    return parts


def _evaluate(trained: Trained) -> Evaluated:
    joint = Joint.of(trained, "joint")
    counts = {}
    for ratio, chosen in _spaces(trained.parts, trained.trial.run.data_seed).items():
        classes = torch.tensor(chosen)
        asked = torch.isin(joint.labels, classes)
        predicted = classes[joint.among(chosen)[asked].argmax(-1)]
        counts[str(ratio)] = Count.of((predicted == joint.labels[asked]).numpy())
    return Evaluated(counts)


def _spaces(parts: Parts, seed: int) -> dict[int, tuple[int, ...]]:
    base = len(parts.train.classes)
    return label_spaces(base, len(parts.evaluated["joint"].classes) - base, seed)


PROTOCOL = Protocol(
    "ratio-sweep",
    "Prompts are trained on the base classes, as in base-to-novel. Test images are then classified among eleven lists "
    "of classes (label spaces), each as long as that of the base classes: 100 %, 90 %, ..., 0 % of the base classes "
    "stay, rounded down, and novel ones take the places of the others, as far as there are enough. How accuracy falls "
    "along the sweep says what new classes cost, as long as the lists are of one length.",
    _parts,
    _evaluate,
    classes="base",
    draws=True,
)
