"""Readers of public data sets with text files that list the images."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from bmip.data.dataset import DataError
from bmip.data.sources.listing import Item, Listing
from bmip.data.sources.split_file import PARTS

Entry = TypeVar("Entry")


def lines(file: Path) -> list[str]:
    """The lines of a text file without empty ones and comments. Raises DataError if it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(
            f"{file} does not exist; it comes with the data set: unpack its archives again (`bmip data prepare`)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text ({error}): unpack the data set's archives again") from error
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _listed(file: Path, parse: Callable[[str], Entry | None], form: str) -> tuple[Entry, ...]:
    """The entry of each line. Raises DataError for a line that is not of the form: `parse` gives None for it."""
    found = []
    for line in lines(file):
        entry = parse(line)
        if entry is None:
            raise DataError(f"{file}: {line[:100]!r} is not of the form `{form}`: unpack the data set's archives again")
        found.append(entry)
    return tuple(found)


def pets(folder: Path, images: Path) -> Listing:
    """Oxford-IIIT Pets. Lines are `Abyssinian_100 1 1 1` (image, class from 1, species, breed); the class name is the
    image's name without its number."""
    train, test = (folder / "annotations" / name for name in ("trainval.txt", "test.txt"))
    parts = {
        part: _listed(file, _pet, "image class species breed") for part, file in (("train", train), ("test", test))
    }
    return Listing(_labelled_names(parts["train"], train), parts)


def _pet(line: str) -> Item | None:
    image, number = (*line.split(), "")[:2]
    breed = image.rpartition("_")[0].lower()
    return Item(f"{image}.jpg", int(number) - 1, breed) if breed and number.isdecimal() else None


def aircraft(folder: Path, images: Path) -> Listing:
    """FGVC Aircraft. A label is the line of its variant in variants.txt; lines of a split are `1025794 707-320`."""
    names = tuple(lines(folder / "variants.txt"))
    labels = {name: label for label, name in enumerate(names)}

    def item(line: str) -> Item | None:
        number, _, variant = line.partition(" ")
        return Item(f"{number}.jpg", labels[variant], variant) if variant in labels else None

    form = "image variant, with a variant of variants.txt"
    return Listing(names, {part: _listed(folder / f"images_variant_{part}.txt", item, form) for part in PARTS})


def sun397(folder: Path, images: Path) -> Listing:
    """SUN397. A label is a line of ClassName.txt; "/i/ice_skating_rink/indoor" is named "indoor ice_skating_rink"."""
    places = lines(folder / "ClassName.txt")
    labels = {place: label for label, place in enumerate(places)}
    names = tuple(" ".join(reversed(place.strip("/").split("/")[1:])) for place in places)

    def item(line: str) -> Item | None:
        label = labels.get(str(PurePosixPath(line).parent))
        return None if label is None else Item(line.lstrip("/"), label, names[label])

    files = {"train": "Training_01.txt", "test": "Testing_01.txt"}
    form = "/a/abbey/image.jpg, with a class of ClassName.txt"
    return Listing(names, {part: _listed(folder / file, item, form) for part, file in files.items()})


def ucf101(folder: Path, images: Path) -> Listing:
    """UCF101: middle frames of videos. "ApplyEyeMakeup" in classInd.txt is the folder and class "Apply_Eye_Makeup"."""
    lists = folder / "ucfTrainTestlist"
    numbered = _listed(lists / "classInd.txt", _numbered, "1 ApplyEyeMakeup")
    labels = {action.lower(): number - 1 for number, action in numbered}
    names = tuple("_".join(re.findall("[A-Z][^A-Z]*", action)) for _, action in numbered)
    if sorted(labels.values()) != list(range(len(names))):
        raise DataError(f"{lists / 'classInd.txt'} does not number its classes 1, 2, 3, ...: unpack it again")

    def item(line: str) -> Item | None:
        action, _, video = line.split()[0].partition("/")
        label = labels.get(action.lower())  # one action is spelled in two ways
        if label is None or not video.endswith(".avi"):
            return None
        return Item(f"{names[label]}/{video.removesuffix('.avi')}.jpg", label, names[label])

    files = {"train": "trainlist01.txt", "test": "testlist01.txt"}
    form = "Action/video.avi, with an action of classInd.txt"
    return Listing(names, {part: _listed(lists / file, item, form) for part, file in files.items()})


def _numbered(line: str) -> tuple[int, str] | None:
    number, *words = line.split()
    return (int(number), words[-1]) if number.isdecimal() and words else None


def _labelled_names(items: Sequence[Item], file: Path) -> tuple[str, ...]:
    """The class names in the order of the labels. Raises DataError for a label with two names or with no image."""
    names: dict[int, str] = {}
    for item in items:
        if names.setdefault(item.label, item.name) != item.name:
            raise DataError(
                f"{file}: class {item.label + 1} is {names[item.label]!r} and {item.name!r}: get the file again"
            )
    if sorted(names) != list(range(len(names))):
        raise DataError(f"{file}: some of the classes 1 to {max(names, default=0) + 1} have no image: get it again")
    return tuple(names[label] for label in range(len(names)))
