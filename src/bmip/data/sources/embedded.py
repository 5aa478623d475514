"""A data set of the embedded world as a `Dataset`."""

from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import torch

from bmip.class_names import ClassNames
from bmip.data.dataset import ArrayImages, Dataset, Split
from bmip.data.transforms import Augmentation

ONE_WAY = ("glyphs", "relations")
"""Data sets in which a mirrored image may show another class: letters, and things to the left and right of others."""


@runtime_checkable
class Rendered(Protocol):
    """What is needed of a rendered data set; `bmip.embedded.world.WorldSet` has it."""

    @property
    def name(self) -> str: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...

    @property
    def template(self) -> str: ...

    @property
    def templates(self) -> tuple[str, ...]: ...

    def split(self, part: Literal["train", "val", "test"], cache: Path | None, /) -> tuple: ...


def embedded_dataset(source: Rendered, template: str = "", cache: Path | None = None) -> Dataset:
    """The data set with all its images in memory; `template` replaces the source's own. Letters are not mirrored.

    Drawn images are kept in `cache`, if there is one.
    """

    def split(part: Literal["train", "val", "test"]) -> Split:
        pixels, labels = source.split(part, cache)
        images = ArrayImages(torch.as_tensor(pixels), f"{source.name}/{part}")
        return Split(images, tuple(int(label) for label in labels))

    classes = ClassNames(tuple(source.class_names), template or source.template, tuple(source.templates))
    augmentation = Augmentation(flip=source.name not in ONE_WAY)
    return Dataset(source.name, classes, split("train"), split("val"), split("test"), augmentation=augmentation)
