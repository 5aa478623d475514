"""Lists a folder of images: one folder per class, directly or below train/, val/ and test/."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bmip.class_names import as_read, words
from bmip.data.dataset import DataError
from bmip.data.images import image_files, is_hidden
from bmip.system.messages import counted, first_few

VAL_NAMES = ("val", "valid", "validation")
PART_NAMES = {"train": ("train", "training"), "val": VAL_NAMES, "test": ("test", "testing")}
"""Folder names of the parts of a split, in lower case; upper case is accepted too."""


class Item(NamedTuple):
    """One image of a split: its path, its label and the name of its class."""

    path: str
    label: int
    name: str


Parts = Mapping[str, tuple[Item, ...]]
"""The images of each part of a split: "train", "val" and "test"; or of "all", where no split is given."""


@dataclass(frozen=True)
class Listing:
    """The class names and the images of each part."""

    names: tuple[str, ...]
    parts: Parts
    notes: tuple[str, ...] = ()
    """Sentences about files that are left out, for example."""

    faults: tuple[str, ...] = ()
    """A message for each folder or entry that cannot be used."""

    seed: int | None = None
    """The split seed that drew the written split; None where the split was not drawn here."""

    def paths(self) -> list[str]:
        """The paths of all images, part by part."""
        return [item.path for items in self.parts.values() for item in items]


def list_folder(folder: Path) -> Listing:
    """Lists a folder. A label is the position of its class folder in sorted order; an underscore is read as a space.

    Raises DataError for a folder without class folders, with train/ but no test/, and for two folders of one class.
    """
    inside = subfolders(folder)
    places = _places(inside)
    if {"train", "test"} <= set(places) and subfolders(folder / places["train"]):
        return _list_split(folder, places, ignored=[name for name in inside if name not in places.values()])
    if "train" in inside and subfolders(folder / "train") and not _loose(folder / "train"):
        raise DataError(
            f"{folder} has train/ but no test/: add test/, or put the class folders directly into {folder.name}/"
        )
    if not inside:
        loose = _loose(folder)
        found = f"holds {counted(loose, 'image')} but no class folders" if loose else "holds no images"
        raise DataError(f"the folder {folder} {found}: put each class's images into a folder with the class's name")
    labels = _labels(folder, inside)
    faults: list[str] = []
    items, skipped = _items(folder, "", labels, faults)
    notes = _notes(skipped, [], [folder])
    like_parts = [name for name in inside if any(name.lower() in known for known in PART_NAMES.values())]
    if len(like_parts) > 1:
        notes += (
            f"{folder}: {', '.join(like_parts)} are read as classes, because there are other folders beside them",
        )
    return Listing(tuple(map(words, labels)), {"all": items}, notes, tuple(faults))


def _places(inside: list[str]) -> dict[str, str]:
    """The folder of each part. If there are other folders too, only the exact names train/ and test/ are parts."""
    places = {part: name for part, known in PART_NAMES.items() for name in inside if name.lower() in known}
    if set(places.values()) == set(inside) or {"train", "test"} <= set(inside):
        return places | {part: part for part in places if part in inside}
    return {}


def _list_split(folder: Path, places: dict[str, str], ignored: list[str]) -> Listing:
    train = folder / places["train"]
    labels = _labels(train, subfolders(train))
    parts: dict[str, tuple[Item, ...]] = {}
    skipped: Counter[str] = Counter()
    faults: list[str] = []
    for part, name in places.items():
        unknown = [found for found in subfolders(folder / name) if found not in labels]
        if unknown:
            raise DataError(
                f"{folder / name} has classes that {train} has not: {first_few(unknown)}: "
                f"add them to {train.name}/ or take them out (names must be spelled alike)"
            )
        parts[part], more = _items(folder, f"{name}/", labels, faults)
        skipped += more
    folders = [folder, *(folder / name for name in places.values())]
    return Listing(tuple(map(words, labels)), parts, _notes(skipped, ignored, folders), tuple(faults))


def subfolders(folder: Path) -> list[str]:
    """The names of the folders in `folder`, sorted, without hidden ones. Raises DataError if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not is_hidden(entry.name))
    except OSError as error:
        raise DataError(_closed(error)) from error


def _loose(folder: Path) -> int:
    """The number of images directly in the folder."""
    return len(image_files([entry.name for entry in folder.iterdir()]))


def _labels(folder: Path, names: list[str]) -> dict[str, int]:
    if len(names) < 2:
        found = f"only the class folder {names[0]!r}" if names else "no class folders"
        raise DataError(f"{folder} has {found}; at least two classes are needed: one folder of images for each")
    by_words: dict[str, str] = {}
    for name in names:
        other = by_words.setdefault(as_read(name), name)
        if other != name:
            raise DataError(
                f"{folder}: the folders {other!r} and {name!r} are both the class {as_read(name)!r} for CLIP: "
                "rename one"
            )
    return {name: label for label, name in enumerate(names)}


def _items(
    folder: Path, prefix: str, labels: dict[str, int], faults: list[str]
) -> tuple[tuple[Item, ...], Counter[str]]:
    items: list[Item] = []
    skipped: Counter[str] = Counter()
    for name, label in labels.items():
        files = list_files(folder, prefix + name, faults)
        images = image_files(files)
        items += [Item(file, label, words(name)) for file in images]
        for file in map(Path, set(files).difference(images)):
            skipped["link to a folder" if (folder / file).is_dir() else file.suffix or file.name] += 1
    return tuple(items), skipped


def items_below(images: Path, folders: Iterable[tuple[str, int, str]]) -> tuple[Item, ...]:
    """The images below each of the folders (its path below `images`, the label, the name of the class), sorted."""
    return tuple(
        Item(file, label, name) for folder, label, name in folders for file in image_files(list_files(images, folder))
    )


def is_text(name: str) -> bool:
    """Whether the name can be written to a UTF-8 file, as a path or label of a split must be."""
    return "\0" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)


def list_files(folder: Path, below: str = "", faults: list[str] | None = None) -> list[str]:
    """All files below `folder / below`, sorted, as paths relative to `folder`; hidden files are ignored.

    A link to a folder is not followed; it counts as a file.

    Raises DataError for a name that is not UTF-8, and for a folder that cannot be read; where there is a list of
    `faults`, a message about such a folder is added to it instead.
    """
    found: list[str] = []
    closed: list[OSError] = []
    for place, folders, files in os.walk(folder / below, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        within = Path(place).relative_to(folder)
        files += [name for name in folders if Path(place, name).is_symlink()]
        found += [(within / name).as_posix() for name in sorted(files) if not is_hidden(name)]
    report_closed(closed, faults)
    for name in found:
        if not is_text(name):
            raise DataError(f"{folder}: the name {name!a} of a file is not UTF-8: rename it")
    return found


def report_closed(closed: Iterable[OSError], faults: list[str] | None) -> None:
    """Adds a message for each folder that cannot be read to `faults`; raises DataError if there is no such list."""
    messages = [_closed(error) for error in closed if not isinstance(error, FileNotFoundError | NotADirectoryError)]
    if messages and faults is None:
        raise DataError(first_few(messages, separator="; "))
    if faults is not None:
        faults += messages


def _closed(error: OSError) -> str:
    return f"the folder {error.filename} cannot be read ({error.strerror}): allow reading it, or move it elsewhere"


def _notes(skipped: Counter[str], ignored: list[str], folders: list[Path]) -> tuple[str, ...]:
    """`folders`: the data set's own, and those of its parts."""
    folder = folders[0]
    loose = [f"{count} in {place}" for place in folders if (count := _loose(place))]
    notes = [f"images outside the class folders are left out: {', '.join(loose)}"] if loose else []
    if skipped:
        kinds = ", ".join(f"{count} {kind}" for kind, count in skipped.most_common(5))
        notes.append(f"{folder} has files that are not images of a known kind; they are left out: {kinds}")
    if ignored:
        notes.append(f"{folder} has train/ and test/; its other folders are left out: {first_few(ignored)}")
    return tuple(notes)
