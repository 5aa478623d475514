"""What lies in a folder of images: a folder per class, directly or below train/, val/ and test/."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bmip.clip.texts import words
from bmip.data.dataset import DataError
from bmip.data.reading import image_files
from bmip.data.splitfile import Item

VAL_NAMES = ("val", "valid", "validation")


@dataclass(frozen=True)
class Listing:
    """The classes, the images of each part ("all" where the folder has no split), sorted, and what was passed over."""

    names: tuple[str, ...]
    parts: dict[str, tuple[Item, ...]]
    notes: tuple[str, ...] = ()


def list_folder(folder: Path) -> Listing:
    """Labels are the positions of the sorted class folders; an underscore in a folder's name is read as a space."""
    inside = _folders(folder)
    if "train" in inside and "test" in inside and _folders(folder / "train"):
        val = next((name for name in VAL_NAMES if name in inside), None)
        return _list_split(folder, val, ignored=[name for name in inside if name not in ("train", "test", val)])
    if "train" in inside and _folders(folder / "train") and not _loose(folder / "train"):
        raise DataError(
            f"{folder} has train/ but no test/: add test/, or put the class folders directly into {folder.name}/"
        )
    if not inside:
        loose = _loose(folder)
        found = f"holds {loose} images but no class folders" if loose else "is empty"
        raise DataError(f"the folder {folder} {found}: put each class's images into a folder with the class's name")
    labels = _labels(folder, inside)
    items, skipped = _items(folder, "", labels)
    return Listing(tuple(map(words, labels)), {"all": items}, _notes(skipped, [], folder))


def _list_split(folder: Path, val: str | None, ignored: list[str]) -> Listing:
    labels = _labels(folder / "train", _folders(folder / "train"))
    parts: dict[str, tuple[Item, ...]] = {}
    skipped: Counter[str] = Counter()
    for part, name in {"train": "train", "val": val, "test": "test"}.items():
        if name is None:
            continue
        unknown = [found for found in _folders(folder / name) if found not in labels]
        if unknown:
            raise DataError(
                f"{folder / name} has classes that {folder / 'train'} has not: {', '.join(unknown[:5])}: "
                "add them to train/ or take them out (names must be spelled alike)"
            )
        parts[part], more = _items(folder, f"{name}/", labels)
        skipped += more
    return Listing(tuple(map(words, labels)), parts, _notes(skipped, ignored, folder))


def _folders(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _loose(folder: Path) -> int:
    """How many images lie in the folder itself."""
    return len(image_files([entry.name for entry in folder.iterdir()]))


def _labels(folder: Path, names: list[str]) -> dict[str, int]:
    if len(names) < 2:
        found = f"only the class folder {names[0]!r}" if names else "no class folders"
        raise DataError(f"{folder} has {found}; at least two classes are needed: one folder of images for each")
    by_words: dict[str, str] = {}
    for name in names:
        other = by_words.setdefault(words(name), name)
        if other != name:
            raise DataError(
                f"{folder}: the folders {other!r} and {name!r} are both the class {words(name)!r}: rename one"
            )
    return {name: label for label, name in enumerate(names)}


def _items(folder: Path, prefix: str, labels: dict[str, int]) -> tuple[tuple[Item, ...], Counter[str]]:
    items: list[Item] = []
    skipped: Counter[str] = Counter()
    for name, label in labels.items():
        files = list_files(folder, prefix + name)
        images = image_files(files)
        items += [Item(file, label, words(name)) for file in images]
        skipped.update(Path(file).suffix or Path(file).name for file in set(files).difference(images))
    return tuple(items), skipped


def list_files(folder: Path, below: str = "") -> list[str]:
    """All files below a place in the folder, sorted, as paths relative to the folder; hidden ones do not count."""
    found: list[str] = []
    for place, folders, files in os.walk(folder / below):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        within = Path(place).relative_to(folder)
        found += [(within / name).as_posix() for name in sorted(files) if not name.startswith(".")]
    return found


def _notes(skipped: Counter[str], ignored: list[str], folder: Path) -> tuple[str, ...]:
    notes = []
    if skipped:
        kinds = ", ".join(f"{count} {kind}" for kind, count in skipped.most_common(5))
        notes.append(f"{folder} has files that are not images of a known kind and were passed over: {kinds}")
    if ignored:
        notes.append(f"{folder} has train/ and test/; other folders were passed over: {', '.join(ignored[:5])}")
    return tuple(notes)
