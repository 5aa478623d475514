"""What speaks against working with a data set: a sentence each, to be refused at once or reported together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.data.dataset import DataError
from bmip.data.splitfile import Item

NAMED = 5  # how many files or faults an error names


def some(names: Sequence[str]) -> str:
    """The first few of them, for a message."""
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def refuse(faults: Sequence[str]) -> None:
    """Raises DataError with the first few where there are any."""
    if faults:
        more = f"; {len(faults)} faults in all" if len(faults) > NAMED else ""
        raise DataError("; ".join(faults[:NAMED]) + more)


def class_faults(folder: Path, names: Sequence[str], parts: Mapping[str, Sequence[Item]]) -> list[str]:
    """Too few classes, and classes without images to learn from."""
    if len(names) < 2:
        return [f"{folder} has {len(names)} class; at least two are needed"]
    faults = []
    kind = "training " if "train" in parts else ""
    there = {item.label for item in parts["train" if kind else "all"]}
    empty = [repr(name) for label, name in enumerate(names) if label not in there]
    if empty:
        faults.append(f"{folder} has no readable {kind}images of {some(empty)}: add some, or take the class out")
    if "test" in parts and not parts["test"]:
        faults.append(f"{folder} has no readable test images: add some, or leave the split to be drawn")
    return faults


def leak_faults(folder: Path, parts: Mapping[str, Sequence[Item]], same: Sequence[Sequence[str]]) -> list[str]:
    """`same` are groups of files of the same content; a split or a class of their own is too much for each."""
    part_of = {item.path: part for part, items in parts.items() for item in items}
    label_of = {item.path: item.label for items in parts.values() for item in items}
    faults = []
    for first, *others in same:
        for other in others:
            if part_of[other] != part_of[first]:
                faults.append(
                    f"{folder}: {first} ({part_of[first]}) and {other} ({part_of[other]}) are the same file; what is "
                    "learned from must not be judged: remove one of them"
                )
        if "all" in parts and len({label_of[path] for path in (first, *others)}) > 1:
            faults.append(
                f"{folder}: {some([first, *others])} are the same file in different classes: remove the wrong ones"
            )
    return faults
