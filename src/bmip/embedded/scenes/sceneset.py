"""One data set of scenes: its classes in words, and splits that show different pictures."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from bmip.embedded.pictures import families
from bmip.embedded.scenes.compose import Plan, compose
from bmip.embedded.scenes.render import render
from bmip.system.threads import threads

IMAGES_PER_CLASS = {"train": 32, "val": 50, "test": 60}
"""Of each split."""

FAMILIES = {"train": "fluent", "val": "fluent-flat", "test": "fluent-flat"}
"""The family whose pictures a split shows; pre-training shows none of them, and training none of the others.

Validation and test are alike, as in public data sets: other scenes of the same pictures."""


class SceneSplit(NamedTuple):
    """Images sorted by class."""

    images: UInt8[Tensor, "image 3 48 48"]
    labels: Int64[Tensor, " image"]


@dataclass(frozen=True, kw_only=True)
class SceneSet:
    """One data set; its images are drawn when a split is asked for."""

    name: str
    about: str
    """What its images show."""

    class_names: tuple[str, ...]
    templates: tuple[str, ...]
    """Sentences around a class name; the first one is the plain one."""

    members: tuple[int, ...] = ()
    """The thing that each class shows, among `shown_things()`."""

    copies: tuple[int, ...] = ()
    """How many of it each class shows; one where nothing is given."""

    surfaces: tuple[int, ...] = ()
    """The background that each class is, where it shows no thing."""

    plan: Plan
    """The odds of everything else."""

    crop: tuple[float, float] = (0.6, 1.0)
    """The least and greatest share of an image that a random crop in training keeps: an image has one small thing."""

    families: dict[str, str] = field(default_factory=lambda: FAMILIES)
    """The family of each split; a split without one is empty."""

    like: str | None = None
    """The data set whose classes these are, where this one only shows them in another way."""

    @property
    def template(self) -> str:
        """The plain sentence around a class name."""
        return self.templates[0]

    def split(self, part: str) -> SceneSplit:
        """Images and labels of "train", "val" or "test"; the same on every call.

        Raises ValueError for another split.
        """
        if part not in IMAGES_PER_CLASS:
            raise ValueError(f"no split {part!r} in {self.name!r}: ask for one of {', '.join(IMAGES_PER_CLASS)}")
        per_class = IMAGES_PER_CLASS[part] if part in self.families else 0
        return self.drawn(part, np.repeat(np.arange(len(self.class_names)), per_class))

    def drawn(self, part: str, labels: np.ndarray) -> SceneSplit:
        """Images of these classes as the split has them, in this order; the same on every call with the same labels."""
        rng = np.random.default_rng([crc32(self.name.encode()), list(IMAGES_PER_CLASS).index(part)])
        plan = replace(self.plan, families=(self.families.get(part, FAMILIES[part]),))
        thing = np.array(self.members or [0] * len(self.class_names))[labels]
        copies = np.array(self.copies or [0 if self.surfaces else 1] * len(self.class_names))[labels]
        surface = np.array(self.surfaces)[labels] if self.surfaces else None
        around = np.array(sorted(drawn_by_all()))
        scene, _ = compose(rng, plan, thing, others=around, copies=copies, surface=surface)
        with threads(1):
            return SceneSplit(render(scene), torch.from_numpy(labels))


@cache
def drawn_by_all() -> frozenset[int]:
    """The things that every family of artists has drawn."""
    return frozenset.intersection(*(frozenset(family.things) for family in families().values()))
