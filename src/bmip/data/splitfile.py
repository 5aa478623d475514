"""Which image belongs to which split, drawn once and written down.

The file has the format of the published splits (CoOp's `split_zhou_*.json`): an object of three lists, `train`, `val`
and `test`, of [path, label, class name], paths relative to the folder of images.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bmip.atomic import write_text
from bmip.data.dataset import DataError

PARTS = ("train", "val", "test")


class Item(NamedTuple):
    """One image of a split, as the file has it."""

    path: str
    label: int
    name: str


@dataclass(frozen=True)
class Parts:
    """The items of the three splits; `val` may be empty."""

    train: tuple[Item, ...]
    val: tuple[Item, ...]
    test: tuple[Item, ...]

    def by_name(self) -> dict[str, tuple[Item, ...]]:
        return {part: getattr(self, part) for part in PARTS}


def draw_parts(items: Iterable[Item], seed: int) -> Parts:
    """Half of each class for training, a fifth for validation, the rest for testing, as CoOp's folder reader rounds.

    Training and testing get at least one image each, at the cost of validation in classes of three.
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
    return Parts(tuple(train), tuple(val), tuple(test))


def draw_val(train: Iterable[Item], test: Iterable[Item], seed: int) -> Parts:
    """A fifth of each class's training images for validation, as CoOp takes it; at least one stays to train on."""
    draws = random.Random(seed)
    rest, val = [], []
    for members in _by_label(train):
        draws.shuffle(members)
        count = min(round(0.2 * len(members)), len(members) - 1)
        val += members[:count]
        rest += members[count:]
    return Parts(tuple(rest), tuple(val), tuple(test))


def _by_label(items: Iterable[Item]) -> list[list[Item]]:
    groups: dict[int, list[Item]] = {}
    for item in items:
        groups.setdefault(item.label, []).append(item)
    return [groups[label] for label in sorted(groups)]


def write_parts(parts: Parts, file: Path, note: str = "") -> None:
    """Writes the file whole or not at all. The note is for people; readers of the format pass it over."""
    lists = {part: [list(item) for item in items] for part, items in parts.by_name().items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps({"note": note, **lists} if note else lists, ensure_ascii=False))


def read_parts(file: Path) -> Parts:
    """The splits as written; labels must be 0, 1, 2, ... and each must have one name."""
    try:
        lists = json.loads(file.read_text(encoding="utf-8"))
        parts = Parts(*(tuple(_item(entry) for entry in lists[part]) for part in PARTS))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file} is no list of splits ({type(error).__name__}: {error}); it needs train, val and test, each a "
            "list of [path, label, class name]: mend it, or delete it to have a new split drawn"
        ) from error
    twice = [
        path
        for path, count in Counter(item.path for item in (*parts.train, *parts.val, *parts.test)).items()
        if count > 1
    ]
    if twice:
        raise DataError(f"{file} lists {twice[0]} twice; an image belongs to one split only: remove it from the others")
    names = names_of(parts.train, file)
    for item in (*parts.val, *parts.test):
        if not 0 <= item.label < len(names) or names[item.label] != item.name:
            raise DataError(
                f"{file}: {item.path} is labelled {item.label} {item.name!r}; the training items know no such class"
            )
    return parts


def names_of(train: Iterable[Item], file: Path) -> tuple[str, ...]:
    """The names of the labels, from the training items as in the reference code."""
    names = {item.label: item.name for item in train}
    if sorted(names) != list(range(len(names))):
        raise DataError(
            f"{file}: the labels of train are {sorted(names)[:10]}...; they must be 0, 1, 2, ... without a gap"
        )
    return tuple(names[label] for label in range(len(names)))


def _item(entry: list) -> Item:
    path, label, name = entry
    if not isinstance(path, str) or type(label) is not int or not isinstance(name, str):
        raise ValueError(f"{entry} is not [path, label, class name]")
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError(f"the path {path!r} leads out of the folder")
    return Item(path, label, name)
