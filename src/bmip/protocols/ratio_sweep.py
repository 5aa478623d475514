"""Ratio sweep: a label space of fixed size in which base classes give way to novel ones. (BMIP's released code)"""

from __future__ import annotations

import random

import torch

from bmip.metrics import Count
from bmip.protocols import base_to_novel
from bmip.protocols.judging import Joint, Judged, Trained
from bmip.protocols.open_world import joint_parts
from bmip.protocols.protocol import Protocol

RATIOS = tuple(range(100, -1, -10))
"""Percent of base classes."""


def label_spaces(base: int, novel: int, seed: int) -> dict[int, tuple[int, ...]]:
    """The classes of each ratio: as many as there are base classes, if there are enough novel ones.

    Each half is drawn in one order, so that from one ratio to the next the fewest classes change.
    """
    stream = random.Random(seed)
    old, new = stream.sample(range(base), base), stream.sample(range(base, base + novel), novel)
    spaces = {}
    for ratio in RATIOS:
        kept = base * ratio // 100
        spaces[ratio] = (*sorted(old[:kept]), *sorted(new[: base - kept]))
    return spaces


def _judge(trained: Trained) -> Judged:
    joint, base = Joint.of(trained, "joint"), len(trained.parts.train.classes)
    spaces = label_spaces(base, len(joint.dataset.classes) - base, trained.trial.data_seed)
    counts = {}
    for ratio, chosen in spaces.items():
        classes = torch.tensor(chosen)
        asked = torch.isin(joint.labels, classes)
        predicted = classes[joint.among(chosen)[asked].argmax(-1)]
        counts[str(ratio)] = Count.of((predicted == joint.labels[asked]).numpy())
    return Judged(counts)


PROTOCOL = Protocol(
    "ratio-sweep",
    "Prompts are trained on the base classes, as in base-to-novel. Test images are then classified in label spaces of "
    "one size, as many classes as there are base ones, whose share of base classes goes from 100 to 0 percent while "
    "novel ones take their places. How accuracy falls along the sweep says what a growing share of new classes costs.",
    joint_parts,
    _judge,
    trains_as=base_to_novel.PROTOCOL.name,
    halves=True,
    draws=True,
)
