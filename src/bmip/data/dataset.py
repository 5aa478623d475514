"""The data types: images, splits (images with labels) and data sets (class names and three splits)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from jaxtyping import UInt8
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.names import DataError as DataError
from bmip.data.transforms import DEFAULT, Augmentation
from bmip.system.messages import counted, first_few


@runtime_checkable
class Images(Protocol):
    """Images in a fixed order, decoded at access. Names are unique and do not depend on the machine."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]: ...

    def name(self, index: int) -> str:
        """The name of an image, such as its path in the data set's folder."""
        ...


@runtime_checkable
class Digested(Protocol):
    """Images whose names do not stand for their pixels, so that a hash of the data must read them."""

    def digest(self, index: int) -> bytes:
        """The SHA-256 of the pixels of an image."""
        ...


def pixel_hash(pixels: UInt8[Tensor, "3 height width"]) -> bytes:
    """The SHA-256 of the pixels, whatever their layout in memory."""
    return hashlib.sha256(pixels.contiguous().numpy().tobytes()).digest()


@dataclass(frozen=True, eq=False)
class ArrayImages:
    """Images of one size in memory; image 17 of the origin "textures/test" has the name "textures/test/17"."""

    pixels: UInt8[Tensor, "image 3 height width"] = field(repr=False)
    origin: str

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        return self.pixels[index]

    def name(self, index: int) -> str:
        return f"{self.origin}/{index}"

    def digest(self, index: int) -> bytes:
        return pixel_hash(self.pixels[index])


@dataclass(frozen=True, eq=False)
class Chosen:
    """A selection from a larger collection of images, in a given order."""

    images: Images
    indices: tuple[int, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        return self.images[self.indices[index]]

    def name(self, index: int) -> str:
        return self.images.name(self.indices[index])


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels, which are indices of classes. Raises ValueError if their numbers differ."""

    images: Images
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            images, labels = counted(len(self.images), "image"), counted(len(self.labels), "label")
            raise ValueError(f"{images} came with {labels}: give one label per image")

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Split({counted(len(self), 'image')} of {counted(len(set(self.labels)), 'class')})"

    def take(self, indices: Sequence[int]) -> "Split":
        """The images at these positions, in this order."""
        images, inner = self.images, tuple(indices)
        if isinstance(images, Chosen):
            images, inner = images.images, tuple(images.indices[index] for index in inner)
        return Split(Chosen(images, inner), tuple(self.labels[index] for index in indices))

    def relabelled(self, labels: dict[int, int]) -> "Split":
        """The items whose label is a key of `labels`; the value is their new label."""
        kept = self.take([index for index, label in enumerate(self.labels) if label in labels])
        return Split(kept.images, tuple(labels[label] for label in kept.labels))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Class names, and images with labels in a training, a validation and a test split.

    Raises ValueError for labels that are no index of a class.
    """

    name: str
    classes: ClassNames
    train: Split
    val: Split | None
    test: Split
    val_is_test: bool = False
    """`val` is the test split, as for ImageNet: a model that is selected on it is selected on test images."""

    augmentation: Augmentation = DEFAULT
    """The random crops and flips that suit these images."""

    notes: tuple[str, ...] = ()
    """Sentences that a person should read before trusting a result, such as classes with too few images."""

    skipped: tuple[str, ...] = ()
    """The reason for each image that was left out because it cannot be read."""

    stored_shots: Path | None = None
    """The folder of the few-shot draws that CoOp's code left beside the data."""

    def __post_init__(self) -> None:
        count = len(self.classes.names)
        for part, split in self.splits().items():
            wrong = sorted({label for label in split.labels if not 0 <= label < count})
            if wrong:
                raise ValueError(
                    f"{self.name}: the {part} split has labels {first_few(wrong)}; labels run from 0 to {count - 1}"
                )

    def __repr__(self) -> str:
        classes = f"{counted(len(self.classes), 'class')} ({first_few(self.classes.names)})"
        parts = (f"{counted(len(split), f'{part} image')}" for part, split in self.splits().items())
        return f"Dataset({self.name!r}: {classes}, {', '.join(parts)})"

    def remarks(self) -> tuple[str, ...]:
        """The notes, and a line for each image that was left out."""
        return (*self.notes, *(f"skipped: {reason}" for reason in self.skipped))

    def splits(self) -> dict[str, Split]:
        """The splits that exist: "train", "val" (unless it is None) and "test"."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        return {part: split for part, split in parts.items() if split is not None}


def split_hash(dataset: Dataset) -> str:
    """SHA-256 of the class names and of each split's image names and labels; of images in memory also of the pixels.

    Stored few-shot draws are hashed too because training uses them, and so is the fact that large JPEGs are decoded at
    a smaller size. Files count by their path relative to the data set's folder: the hash is the same on every machine.
    """
    digest = hashlib.sha256()

    def add(text: str) -> None:
        encoded = text.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)

    for name in dataset.classes.names:
        add(name)
    for part, split in dataset.splits().items():
        add(f"{part} {len(split)}" + " scaled" * _is_scaled(split.images))
        for index, label in enumerate(split.labels):
            add(f"{label} {split.images.name(index)}")
            digest.update(_pixel_digest(split.images, index))
    for file in shot_files(dataset):
        add(file.name)
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def shot_files(dataset: Dataset) -> list[Path]:
    """The files of few-shot draws that CoOp's code left beside the data, sorted."""
    found = [] if dataset.stored_shots is None else sorted(dataset.stored_shots.glob("*.pkl"))
    return [file for file in found if re.fullmatch(r"shot_\d+-seed_\d+", file.stem) and file.is_file()]


def _is_scaled(images: Images) -> bool:
    return _is_scaled(images.images) if isinstance(images, Chosen) else getattr(images, "scaled", False)


def _pixel_digest(images: Images, index: int) -> bytes:
    if isinstance(images, Chosen):
        return _pixel_digest(images.images, images.indices[index])
    return images.digest(index) if isinstance(images, Digested) else b""
