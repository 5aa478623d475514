"""What a learner is given, as data sets and splits: paths, pictures in memory, folders, data frames."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from bmip.class_names import ClassNames, words
from bmip.data.dataset import DataError, Dataset, Split, pixel_hash
from bmip.data.load import load_dataset, load_evaluated
from bmip.data.read_config import ReadConfig
from bmip.evaluation.pictures import Picture, picture_pixels, pictures
from bmip.evaluation.predict import image_paths
from bmip.system.messages import first_few

IMAGES, LABELS = ("path", "image"), "label"
"""The columns of a data frame."""


@dataclass(frozen=True, eq=False)
class GivenImages:
    """Pictures in any form, in their order, decoded at access."""

    pictures: tuple[Any, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        return picture_pixels(self.pictures[index])

    def name(self, index: int) -> str:
        return f"given/{index}"

    def digest(self, index: int) -> bytes:
        return pixel_hash(self[index])


def training_data(images: Any, labels: Any, read: ReadConfig) -> tuple[Dataset, str]:
    """What is trained on, before the few-shot draw, and its name or path ("" for images that came with labels).

    Without labels `images` is a data set, or what `load_dataset` takes, or a data frame with labels. Images that come
    with labels are all for training: there are no validation and test images.

    Raises DataError for images without labels, and ValueError for labels that are no class names.
    """
    if labels is None and isinstance(images, Dataset):
        return images, ""
    if labels is None and isinstance(images, (str, Path)):
        return load_dataset(images, read), str(images)
    split, names = labelled(images, labels, read)
    if len(names) < 2:
        raise DataError(f"all images are of one class ({first_few(names)}): give images of two at least")
    classes = ClassNames(names, read.template or ClassNames.template)
    return Dataset("given", classes, split, None, split.take([])), ""


def evaluated_data(images: Any, labels: Any, read: ReadConfig, classes: ClassNames) -> Split:
    """The images to evaluate on, with indices into `classes` as labels: as `load_evaluated` reads them, or as given.

    Warns of images that are left out because they cannot be read. Raises DataError for a label that is none of the
    classes, and for images without labels.
    """
    if labels is None and isinstance(images, Dataset):
        names, split = images.classes.names, images.test
    elif labels is None and isinstance(images, (str, Path)):
        known, split, skipped = load_evaluated(images, read)
        if skipped:
            warnings.warn(f"left out: {first_few(skipped, separator='; ')}", stacklevel=3)
        names = known.names
    else:
        split, names = labelled(images, labels, read)
    if names == classes.names:  # equal names may stand among them
        return split
    if twice := [name for name, count in Counter(map(words, classes.names)).items() if count > 1]:
        raise DataError(
            f"the class name {twice[0]!r} occurs more than once, so a label does not say which class is meant: give "
            "names that differ (`classes`)"
        )
    positions = {words(name): place for place, name in enumerate(classes.names)}
    found = [names[label] for label in sorted(set(split.labels))]
    if strange := [name for name in found if words(name) not in positions]:
        raise DataError(
            f"images are labelled {first_few(map(repr, strange))}, and the classes are {first_few(classes.names)}: "
            "name all classes that are asked about (`classes`)"
        )
    return Split(split.images, tuple(positions[words(names[label])] for label in split.labels))


def labelled(images: Any, labels: Any, read: ReadConfig) -> tuple[Split, tuple[str, ...]]:
    """Images that came with labels, or in a data frame that has them, and the sorted names of their classes."""
    if labels is None and _is_frame(images):
        column = read.label_column or LABELS
        if column not in images.columns:
            raise DataError(f"the data frame has no column {column!r} of labels: it has {_columns(images)}")
        labels = images[column]
    if labels is None:
        raise DataError(
            "labels are missing: give one class name for each image, or a folder with one folder of images per class, "
            "or the name of a data set"
        )
    if isinstance(labels, str) or not isinstance(labels, Iterable):
        raise ValueError(f"labels are a list of class names, one for each image; {labels!r} is none")
    if isinstance(images, (str, Path)) and Path(images).is_dir():
        raise DataError(f"{images} is a folder, whose labels are the names of its folders: give it without labels")
    said = list(labels)
    if odd := [label for label in said if not isinstance(label, str)]:
        raise ValueError(f"the label {odd[0]!r} is no text: labels are class names, such as 'cat'")
    names = tuple(sorted(set(said)))
    positions = {name: place for place, name in enumerate(names)}
    return Split(GivenImages(tuple(given_pictures(images))), tuple(positions[label] for label in said)), names


def given_pictures(images: Any) -> Iterable[Picture]:
    """The pictures of a list, of an array, of a data frame's column, or of a folder or pattern with its files below.

    Raises DataError for what is none of these.
    """
    if _is_frame(images):
        column = next((name for name in IMAGES if name in images.columns), None)
        if column is None:
            raise DataError(f"the data frame has no column {' or '.join(IMAGES)}: it has {_columns(images)}")
        return list(images[column])
    if isinstance(images, (str, Path)):
        return image_paths([images])
    if isinstance(images, np.ndarray) and images.ndim == 1:  # of paths or of other objects
        return list(images)
    return pictures(images)


def _is_frame(given: Any) -> bool:
    """Whether it is a data frame of pandas, polars or others, which need not be installed."""
    return hasattr(given, "columns") and hasattr(given, "__getitem__")


def _columns(frame: Any) -> str:
    return first_few(frame.columns)
