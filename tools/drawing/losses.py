"""What each part of a loss depends on: found by changing one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.methods import build_model
from bmip.prompting import FrozenImages, Step, Teacher

SEEN = ("image", "text", "logits", "frozen text", "frozen image", "frozen other view")
"""What a step shows to the terms: the student's features and logits, and the frozen ones."""


@dataclass(frozen=True)
class Loss:
    """One part of a method's loss."""

    name: str
    depends_on: frozenset[str]
    """Those of SEEN that change it."""

    sentences: int = 0
    """How many sentences about each class the frozen text tower reads for it."""

    guides: bool = False
    """Whether it is not minimised, but its gradient edits that of the others."""


def losses(method: str, options: Mapping[str, Any], clip: CLIP, classes: ClassNames) -> tuple[Loss, ...]:
    """The parts of the method's loss, the cross-entropy first."""
    plain, read, guides = _parts(method, options, clip, classes)
    read_out = build_model(method, dict(options), clip, classes, seed=0).read_out is not None
    depends_on: dict[str, set[str]] = {name: set() for name in plain}
    for change in SEEN if plain else ():
        changed, _, _ = _parts(method, options, clip, classes, change)
        for name, value in changed.items():
            if not torch.equal(value, plain[name]):
                depends_on[name].add(change)
    of_logits = ["cross_entropy", *(["read_out_cross_entropy"] if read_out else [])]
    return (
        *(Loss(name, frozenset({"logits"})) for name in of_logits),
        *(
            Loss(name, frozenset(found), read if "frozen text" in found else 0, name in guides)
            for name, found in depends_on.items()
        ),
    )


def _parts(
    method: str, options: Mapping[str, Any], clip: CLIP, classes: ClassNames, change: str = ""
) -> tuple[dict[str, Tensor], int, frozenset[str]]:
    """The parts' values, how many sentences the teacher was asked for, and the guides."""
    model = build_model(method, dict(options), clip, classes, seed=0)
    teacher = _Changeable(clip, classes, change="frozen text" if change == "frozen text" else "")
    values = {
        name: _values(name, change, shape)
        for name, shape in {
            "image": (2, clip.config.out),
            "text": (3, len(classes), clip.config.out),
            "logits": (2, len(classes)),
            "frozen image": (2, clip.config.out),
            "frozen other view": (2, clip.config.out),
        }.items()
    }
    sentences = F.normalize(values["text"], dim=-1)
    step = Step(
        labels=torch.arange(2) % len(classes),
        image_features=F.normalize(values["image"], dim=-1),
        text_features=sentences.mean(0, keepdim=True),
        sentence_features=sentences,
        logits=values["logits"],
        scale=torch.tensor(2.0),
        teacher=teacher,
        frozen_images=_Known(values["frozen image"], values["frozen other view"]),
    )
    parts: dict[str, Tensor] = {}
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for term in model.method.terms:
            parts |= term(step)
    return parts, len(teacher.read), frozenset().union(*(term.guides for term in model.method.terms))


def _values(name: str, change: str, shape: Sequence[int]) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(name) + 100 * (name == change)))


class _Known(FrozenImages):
    """Holds the features of each view instead of computing them."""

    def __init__(self, *each: Tensor) -> None:
        self.each = each

    def unnormalised(self, view: int) -> Tensor:
        return self.each[view]


@dataclass(frozen=True)
class _Changeable(Teacher):
    change: str = ""
    read: set[str] = field(default_factory=set)

    def text_features(self, templates: Sequence[str], *, normalise_each: bool = True) -> Tensor:
        self.read.update(templates)
        return F.normalize(_values("frozen text", self.change, (len(self.classes), self.clip.config.out)), dim=-1)
