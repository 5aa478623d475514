"""Readers of ImageNet and its shifted variants: folders by WordNet id, class names from `classnames.txt`."""

from pathlib import Path

from bmip.data.dataset import DataError
from bmip.data.public.lists import lines
from bmip.data.sources.listing import Item, Listing, items_below, subfolders
from bmip.system.messages import first_few


def class_names(folder: Path) -> dict[str, str]:
    """Class names by WordNet id, from lines such as `n01440764 tench`. Two names occur twice: never look up by name."""
    file = folder / "classnames.txt"
    names: dict[str, str] = {}
    for line in lines(file):
        wnid, _, name = line.partition(" ")
        if not name.strip():
            raise DataError(f"{file} has no name for {wnid}: get it again (`bmip data prepare imagenet`)")
        names[wnid] = name.strip()
    return names


def imagenet(folder: Path, images: Path) -> Listing:
    """ImageNet: the official validation images are the test split, and there is no validation split."""
    for part in ("train", "val"):
        if not (images / part).is_dir():
            raise DataError(f"{images / part} does not exist: it must hold a folder of images per WordNet id")
    wnids = subfolders(images / "train")
    strange = set(wnids).symmetric_difference(subfolders(images / "val"))
    if strange:
        raise DataError(
            f"{images}: train/ and val/ have not the same classes ({first_few(sorted(strange))}); sort the "
            "validation images into folders by WordNet id"
        )
    names = _named(folder, wnids)
    parts = {"train": _items(images, wnids, names, "train/"), "test": _items(images, wnids, names, "val/")}
    return Listing(names, parts)


def by_wordnet_id(folder: Path, images: Path) -> Listing:
    """Sketch, A and R: test images only; a label is the position of its folder in sorted order."""
    wnids = subfolders(images)
    names = _named(folder, wnids)
    return Listing(names, {"test": _items(images, wnids, names)})


def by_number(folder: Path, images: Path) -> Listing:
    """V2: test images in folders 0, 1, 2, ...; the number is the line of the class in classnames.txt."""
    names = tuple(class_names(folder).values())
    numbers = subfolders(images)
    strange = [name for name in numbers if not name.isdecimal() or int(name) >= len(names)]
    if strange:
        raise DataError(
            f"{images}: the folders {first_few(strange)} are no lines of classnames.txt (0 to {len(names) - 1})"
        )
    folders = ((number, int(number), names[int(number)]) for number in sorted(numbers, key=int))
    return Listing(names, {"test": items_below(images, folders)})


def _named(folder: Path, wnids: list[str]) -> tuple[str, ...]:
    known = class_names(folder)
    strange = [wnid for wnid in wnids if wnid not in known]
    if strange or not wnids:
        found = f"holds {first_few(strange)}, which it does not name" if strange else "holds no class folders"
        raise DataError(f"{folder} {found} in {folder / 'classnames.txt'}: folders must be WordNet ids as in that file")
    return tuple(known[wnid] for wnid in wnids)


def _items(images: Path, wnids: list[str], names: tuple[str, ...], below: str = "") -> tuple[Item, ...]:
    return items_below(images, ((below + wnid, label, names[label]) for label, wnid in enumerate(wnids)))
