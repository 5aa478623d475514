"""Draws splits, writes them to a file and reads them.

The file has the format of the published splits (CoOp's `split_zhou_*.json`): an object of three lists, `train`, `val`
and `test`, of [path, label, class name], paths relative to the folder of images.
"""

import json
import random
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from bmip.data.dataset import DataError
from bmip.data.sources.listing import Item, Listing, Parts
from bmip.system.files import write_text
from bmip.system.messages import first_few

PARTS = ("train", "val", "test")


def draw_parts(items: Iterable[Item], seed: int) -> Parts:
    """Draws half of each class for training, a fifth for validation and the rest for test, rounded as in CoOp.

    Training and test get at least one image of each class. Raises DataError for a class with one image.
    """
    draws = random.Random(seed)
    train, val, test = [], [], []
    for members in _by_label(items):
        if len(members) < 2:
            raise DataError(
                f"class {members[0].name!r} has one image ({members[0].path}); a split needs at least two, one to "
                "train and one to test: add images or lay out train/ and test/ folders"
            )
        draws.shuffle(members)
        end = max(1, round(0.5 * len(members)))
        end_of_val = min(end + round(0.2 * len(members)), len(members) - 1)
        train += members[:end]
        val += members[end:end_of_val]
        test += members[end_of_val:]
    return {"train": tuple(train), "val": tuple(val), "test": tuple(test)}


def draw_val(train: Iterable[Item], test: Iterable[Item], seed: int) -> Parts:
    """Draws a fifth of each class's training images for validation, as in CoOp; at least one stays for training."""
    draws = random.Random(seed)
    rest, val = [], []
    for members in _by_label(train):
        draws.shuffle(members)
        count = min(round(0.2 * len(members)), len(members) - 1)
        val += members[:count]
        rest += members[count:]
    return {"train": tuple(rest), "val": tuple(val), "test": tuple(test)}


def _by_label(items: Iterable[Item]) -> list[list[Item]]:
    groups: dict[int, list[Item]] = {}
    for item in items:
        groups.setdefault(item.label, []).append(item)
    return [groups[label] for label in sorted(groups)]


def write_parts(parts: Parts, file: Path, note: str = "", seed: int | None = None) -> None:
    """Writes the file atomically. Note and seed say how the split was drawn; other programs ignore them."""
    lists = {part: [list(item) for item in items] for part, items in parts.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    origin = ({"note": note} if note else {}) | ({} if seed is None else {"seed": seed})
    write_text(file, json.dumps({**origin, **lists}, ensure_ascii=False))


def read_split(file: Path, cure: str = "delete it to have a new split drawn") -> Listing:
    """Reads a split file. Labels must be 0, 1, 2, ... with one name each, and each image must occur once.

    Raises DataError with the first fault and with `cure`, which says what else to do.
    """
    listing = inspect_split(file)
    if listing.faults:
        raise DataError(f"{first_few(listing.faults, 1)}: mend {file.name}, or {cure}")
    return listing


def inspect_split(file: Path) -> Listing:
    """The class names and the usable items of a split file, and a message for each fault.

    Raises DataError for a file that holds no splits, or whose labels have gaps.
    """
    again = "mend it, get it again, or delete it if it was drawn here"
    form = "it needs train, val and test, each a list of [path, label, class name]"
    try:
        lists = json.loads(file.read_text(encoding="utf-8-sig"))
        entries = {part: list(lists[part]) for part in PARTS}
        seed = lists.get("seed")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{file} is no list of splits ({reason}); {form}: {again}") from error
    faults: list[str] = []
    items: dict[str, tuple[Item, ...]] = {}
    for part, listed in entries.items():
        read = [(_fault(entry), entry) for entry in listed]
        faults += [f"{file}: {fault}; {form}" for fault, _ in read if fault]
        items[part] = tuple(Item(*entry) for fault, entry in read if not fault)
    names = {item.label: item.name for item in reversed(items["train"])}
    kept, more = usable(items, names, str(file))
    if sorted(names) != list(range(len(names))):
        below = sorted(label for label in names if label < 0)
        gaps = [label for label in range(len(names)) if label not in names]
        found = f"the label {below[0]}" if below else f"no image with the label {first_few(gaps, 10)}"
        raise DataError(f"{file}: train has {found}; labels must be 0, 1, 2, ... without a gap: {again}")
    seed = seed if isinstance(seed, int) else None
    return Listing(tuple(names[label] for label in sorted(names)), kept, faults=(*faults, *more), seed=seed)


def usable(parts: Parts, names: Mapping[int, str], where: str) -> tuple[Parts, list[str]]:
    """The items with the right name for their label, each in one split only, and a message for each other item."""
    kept: dict[str, tuple[Item, ...]] = {}
    strange: dict[tuple[str, int, str], list[str]] = {}
    place: dict[str, str] = {}
    twice = []
    for part, items in parts.items():
        good = []
        for item in items:
            if item.path in place:
                twice.append(f"{where} lists {item.path} in {place[item.path]} and again in {part}")
            elif names.get(item.label) != item.name:
                strange.setdefault((part, item.label, item.name), []).append(item.path)
            else:
                good.append(item)
            place[item.path] = part
        kept[part] = tuple(good)
    unknown = []
    for (part, label, name), paths in strange.items():
        more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
        known = f"that label is {names[label]!r}" if label in names else "the training items know no such class"
        unknown.append(f"{where}: {paths[0]}{more} in {part} is labelled {label} {name!r}; {known}")
    return kept, twice + unknown


def leads_out(path: str) -> bool:
    """Whether the path is empty, absolute or leads out of its folder."""
    within = PurePosixPath(path)
    return not path or within.is_absolute() or ".." in within.parts or "\0" in path


def _fault(entry: object) -> str | None:
    match entry:
        case [str(path), int(label), str(name)] if not isinstance(label, bool):
            if leads_out(path):
                return f"the path {path!r} leads out of the folder"
            return None if name.strip() else f"{path} has no class name"
    return f"{str(entry)[:100]} is not [path, label, class name]"
