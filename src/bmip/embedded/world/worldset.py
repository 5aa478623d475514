"""One data set of the world: its classes in words, and splits that are rendered once and then read from a cache."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from bmip.embedded.world.odds import Draws
from bmip.embedded.world.render import render
from bmip.embedded.world.scene import Scene
from bmip.embedded.world.store import stored

IMAGES_PER_CLASS: dict[str, int] = {"train": 32, "val": 50, "test": 60}


class WorldSplit(NamedTuple):
    """Images sorted by class."""

    images: UInt8[Tensor, "image 3 height width"]
    labels: Int64[Tensor, " image"]


@dataclass(frozen=True, kw_only=True)
class WorldSet:
    """One data set; its images are rendered when a split is asked for."""

    name: str
    about: str
    """What it shows, and what of that pre-training never shows."""
    class_names: tuple[str, ...]
    template: str
    """The plain one; zero-shot is measured with the best of `templates`, chosen on the validation split."""
    templates: tuple[str, ...]
    compose: Callable[[np.random.Generator, Draws], Scene]
    """Scenes for labels."""
    shares_classes_with: str | None = None
    """The set whose classes these are, where this one only shows them differently."""

    def split(self, part: str, cache: Path | None = None) -> WorldSplit:
        """Images and labels of "train", "val" or "test"; the same on every call. They are kept in `cache`, if given."""
        if part not in IMAGES_PER_CLASS:
            raise ValueError(f"no split {part!r} in {self.name!r}: ask for one of {', '.join(IMAGES_PER_CLASS)}")
        labels = np.repeat(np.arange(len(self.class_names)), IMAGES_PER_CLASS[part])
        images = stored(f"{self.name}-{part}", lambda: self._render(part, labels), cache)
        return WorldSplit(images, torch.from_numpy(labels))

    def _render(self, part: str, labels: Draws) -> UInt8[Tensor, "image 3 height width"]:
        seed = [crc32(self.name.encode()), list(IMAGES_PER_CLASS).index(part)]
        return render(self.compose(np.random.default_rng(seed), labels))
