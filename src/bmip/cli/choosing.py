"""The classes a command is about."""

from __future__ import annotations

from dataclasses import replace

from bmip.clip.texts import words
from bmip.data.dataset import DataError, Dataset
from bmip.data.sampling import base_novel

HALVES = ("all", "base", "novel")


def of_classes(dataset: Dataset, which: str) -> Dataset:
    """The data set, or one half of its classes. Raises ValueError for another word."""
    if which not in HALVES:
        raise ValueError(f"--classes is {which!r}; choose one of {', '.join(HALVES)}")
    if which == "all":
        return dataset
    return base_novel(dataset)[HALVES.index(which) - 1]


def among(dataset: Dataset, names: list[str]) -> Dataset:
    """The test images whose class is in the list, to be classified among all names of the list.

    Raises DataError where no class of the data set is in the list.
    """
    known = {words(name).lower(): label for label, name in enumerate(dataset.classes.names)}
    positions = {known[words(name).lower()]: place for place, name in enumerate(names) if words(name).lower() in known}
    if not positions:
        raise DataError(
            f"{dataset.name} has no class of {', '.join(names)}: its classes are {', '.join(dataset.classes.names)}"
        )
    test = dataset.test.relabelled(positions)
    classes = replace(dataset.classes, names=tuple(names), duplicates=False)
    return replace(dataset, classes=classes, train=test, val=None, test=test)
