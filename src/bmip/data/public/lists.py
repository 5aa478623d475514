"""Readers of public data sets with text files that list the images."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from bmip.data.dataset import DataError
from bmip.data.sources.listing import Item, Listing


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


def pets(folder: Path, images: Path) -> Listing:
    """Oxford-IIIT Pets. Lines are `Abyssinian_100 1 1 1` (image, class from 1, species, breed); the class name is the
    image's name without its number."""

    def listed(name: str) -> tuple[Item, ...]:
        file = folder / "annotations" / name
        return tuple(_pet(line, file) for line in lines(file))

    parts = {"train": listed("trainval.txt"), "test": listed("test.txt")}
    return Listing(labelled_names(parts["train"], folder / "annotations" / "trainval.txt"), parts)


def _pet(line: str, file: Path) -> Item:
    image, *numbers = line.split()
    breed = image.rpartition("_")[0].lower()
    if not breed or not numbers or not numbers[0].isdecimal():
        raise _unlike(line, file, "image class species breed")
    return Item(f"{image}.jpg", int(numbers[0]) - 1, breed)


def aircraft(folder: Path, images: Path) -> Listing:
    """FGVC Aircraft. A label is the line of its variant in variants.txt; lines of a split are `1025794 707-320`."""
    names = tuple(lines(folder / "variants.txt"))
    labels = {name: label for label, name in enumerate(names)}

    def listed(part: str) -> tuple[Item, ...]:
        file = folder / f"images_variant_{part}.txt"
        items = []
        for line in lines(file):
            number, _, variant = line.partition(" ")
            if variant not in labels:
                raise _unlike(line, file, "image variant, with a variant of variants.txt")
            items.append(Item(f"{number}.jpg", labels[variant], variant))
        return tuple(items)

    return Listing(names, {part: listed(part) for part in ("train", "val", "test")})


def sun397(folder: Path, images: Path) -> Listing:
    """SUN397. A label is a line of ClassName.txt; "/i/ice_skating_rink/indoor" is named "indoor ice_skating_rink"."""
    places = lines(folder / "ClassName.txt")
    labels = {place: label for label, place in enumerate(places)}
    names = tuple(" ".join(reversed(place.strip("/").split("/")[1:])) for place in places)

    def listed(name: str) -> tuple[Item, ...]:
        file = folder / name
        items = []
        for line in lines(file):
            place = str(PurePosixPath(line).parent)
            if place not in labels:
                raise _unlike(line, file, "/a/abbey/image.jpg, with a class of ClassName.txt")
            items.append(Item(line.lstrip("/"), labels[place], names[labels[place]]))
        return tuple(items)

    return Listing(names, {"train": listed("Training_01.txt"), "test": listed("Testing_01.txt")})


def ucf101(folder: Path, images: Path) -> Listing:
    """UCF101: middle frames of videos. "ApplyEyeMakeup" in classInd.txt is the folder and class "Apply_Eye_Makeup"."""
    lists = folder / "ucfTrainTestlist"
    numbered = [line.split() for line in lines(lists / "classInd.txt")]
    for words in numbered:
        if not words[0].isdecimal():
            raise _unlike(" ".join(words), lists / "classInd.txt", "1 ApplyEyeMakeup")
    actions = {words[-1].lower(): int(words[0]) - 1 for words in numbered}
    names = tuple("_".join(re.findall("[A-Z][^A-Z]*", words[-1])) for words in numbered)
    if sorted(actions.values()) != list(range(len(names))):
        raise DataError(f"{lists / 'classInd.txt'} does not number its classes 1, 2, 3, ...: unpack it again")

    def listed(name: str) -> tuple[Item, ...]:
        items = []
        for line in lines(lists / name):
            action, _, video = line.split()[0].partition("/")
            label = actions.get(action.lower())  # one action is spelled in two ways
            if label is None or not video.endswith(".avi"):
                raise _unlike(line, lists / name, "Action/video.avi, with an action of classInd.txt")
            items.append(Item(f"{names[label]}/{video.removesuffix('.avi')}.jpg", label, names[label]))
        return tuple(items)

    return Listing(names, {"train": listed("trainlist01.txt"), "test": listed("testlist01.txt")})


def labelled_names(items: Sequence[Item], file: Path) -> tuple[str, ...]:
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


def _unlike(line: str, file: Path, form: str) -> DataError:
    return DataError(f"{file}: {line[:100]!r} is not of the form `{form}`: unpack the data set's archives again")
