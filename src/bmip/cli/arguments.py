"""The classes a command is about. What is typed is read without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bmip.class_names import ClassNames, as_read
from bmip.data.names import DataError
from bmip.data.sources.class_name_file import read_class_names
from bmip.run_spec import HALF

if TYPE_CHECKING:
    from bmip.data.dataset import Dataset

HALVES = ("all", "base", "novel")


def check_stored(places: Sequence[Path]) -> None:
    """Raises ValueError for a file of results, or a folder of a study, that is not there."""
    for place in places:
        if not place.exists():
            raise ValueError(f"{place} does not exist")


def of_classes(dataset: Dataset, which: str, base: float | Sequence[str] = HALF) -> Dataset:
    """The data set, or its base or novel classes; `base` says which are base. Raises ValueError for another word."""
    from bmip.data.sampling import split_base_novel

    if which not in HALVES:
        raise ValueError(f"--classes is {which!r}; choose one of {', '.join(HALVES)}")
    if which == "all":
        return dataset
    return split_base_novel(dataset, base)[HALVES.index(which) - 1]


def base_asked(said: str | None) -> float | tuple[str, ...]:
    """A share of the classes, or the names that a file lists; one half where nothing is said.

    Raises DataError for what is neither, and for a file that is no list of names.
    """
    if said is None:
        return HALF
    if _is_file(said):
        return tuple(_listed(Path(said)))
    try:
        share = float(said)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise DataError(f"--base is {said!r}: give a share between 0 and 1, or a file with the base classes' names")
    return share


def names_asked(said: Sequence[str] | None, file: Path | None) -> list[str] | None:
    """Class names as --classes gives them, one text with commas or several texts, and those of --classes-file.

    None where neither is given. Raises ValueError for a name that is a file, and for names that are empty or alike;
    DataError for a file that is no list of names.
    """
    if said is None and file is None:
        return None
    texts = said or []
    names = [name.strip() for name in (texts[0].split(",") if len(texts) == 1 else texts)]
    for name in names:
        if Path(name).suffix and _is_file(name):
            raise ValueError(
                f"{name} is a file, not a class name: give images before --classes, and a file of names as "
                f"--classes-file {name}"
            )
    found = [*names, *(_listed(file) if file else ())]
    ClassNames(tuple(found))  # what is wrong with them is said before any work
    return found


def among(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The test images whose class is in the list, to be classified among all names of the list.

    Raises DataError where no class of the data set is in the list.
    """
    known = {as_read(name): label for label, name in enumerate(dataset.classes.names)}
    positions = {known[as_read(name)]: place for place, name in enumerate(names) if as_read(name) in known}
    if not positions:
        raise DataError(
            f"{dataset.name} has no class of {', '.join(names)}: its classes are {', '.join(dataset.classes.names)}"
        )
    test = dataset.test.relabelled(positions)
    classes = replace(dataset.classes, names=tuple(names), duplicates=False)
    return replace(dataset, classes=classes, train=test, val=None, test=test)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long for a file, or with a zero byte
        return False


def _listed(file: Path) -> Sequence[str]:
    names = read_class_names(file)
    if not names or isinstance(names, Mapping):
        raise DataError(f"{file} is no list of classes: give their names, one a line or as a JSON list")
    return names
