"""The classes a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bmip.class_names import words
from bmip.data.dataset import DataError, Dataset
from bmip.data.sampling import split_base_novel
from bmip.data.sources.class_name_file import read_class_names
from bmip.run_spec import HALF

HALVES = ("all", "base", "novel")


def of_classes(dataset: Dataset, which: str) -> Dataset:
    """The data set, or one half of its classes. Raises ValueError for another word."""
    if which not in HALVES:
        raise ValueError(f"--classes is {which!r}; choose one of {', '.join(HALVES)}")
    if which == "all":
        return dataset
    return split_base_novel(dataset)[HALVES.index(which) - 1]


def base_asked(said: str | None) -> float | tuple[str, ...]:
    """A share of the classes, or the names that a file lists; one half where nothing is said.

    Raises DataError for what is neither, and for a file that is no list of names.
    """
    if said is None:
        return HALF
    file = Path(said)
    if not file.is_file():
        try:
            share = float(said)
        except ValueError:
            share = 0.0
        if not 0 < share < 1:
            raise DataError(f"--base is {said!r}: give a share between 0 and 1, or a file with the base classes' names")
        return share
    names = read_class_names(file)
    if not names or isinstance(names, Mapping):
        raise DataError(f"{file} is no list of classes: give the base classes, one a line or as a JSON list")
    return tuple(names)


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
