"""Few-shot draws on disk: reads those of CoOp's code, and writes our own so that others can check them."""

import hashlib
import json
import pickle
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from bmip.data.dataset import DataError, Dataset, Split
from bmip.system.files import write_text


class _OnlyData(pickle.Unpickler):
    """Reads only containers, strings, numbers and Dassl's Datum; refuses a pickle that names any other object."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.datum = type("Datum", (), {})  # a new class for each file: a pickle cannot change anything outside

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("dassl.data.datasets.base_dataset", "Datum"):
            return self.datum
        raise pickle.UnpicklingError(f"it names {module}.{name}, and only lists of images are read")


def stored_file(dataset: Dataset, shots: int, seed: int) -> Path | None:
    """The file with the draw of CoOp's code; None if there is none."""
    if dataset.stored_shots is None:
        return None
    file = dataset.stored_shots / f"shot_{shots}-seed_{seed}.pkl"
    return file if file.is_file() else None


def read_shots(dataset: Dataset, file: Path) -> Dataset:
    """The data set with a draw of CoOp's code; its images are found in the data set by the end of their paths.

    The validation split stays as it is if the file has no draw for it.

    Raises DataError for a file that is no such draw, that belongs to another data set or split, or that has another
    number of images per class than its name says.
    """
    try:
        with file.open("rb") as stream:
            reader = _OnlyData(stream)
            stored = reader.load()
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged pickle raises about every type there is
        raise DataError(f"{file} is no few-shot draw ({error}): delete it to have the shots drawn anew") from error
    if not isinstance(stored, dict) or not isinstance(stored.get("train"), list):
        raise DataError(f"{file} holds no list of training images: delete it to have the shots drawn anew")
    train = _found(dataset.train, stored["train"], reader.datum, file, "train")
    shots = int(re.findall(r"\d+", file.stem)[0])
    _check_counts(dataset.train, train, shots, shots, dataset.classes.names, f"{file}: train")
    if dataset.val is None or dataset.val_is_test or stored.get("val") is None:
        return replace(dataset, train=dataset.train.take(train))
    val = _found(dataset.val, stored["val"], reader.datum, file, "val")
    _check_counts(dataset.val, val, 1, shots, dataset.classes.names, f"{file}: val")  # the reference code takes four
    return replace(dataset, train=dataset.train.take(train), val=dataset.val.take(val))


def _found(split: Split, stored: Any, kind: type, file: Path, part: str) -> tuple[int, ...]:
    positions = {split.images.name(index): index for index in range(len(split))}
    found: dict[int, None] = {}
    for datum in stored if isinstance(stored, list) else [stored]:
        path, label = getattr(datum, "_impath", None), getattr(datum, "_label", None)
        if not isinstance(datum, kind) or not isinstance(path, str) or type(label) is not int:
            raise DataError(f"{file}: {part} holds something that is no image: delete it to have the shots drawn anew")
        index = next((positions[end] for end in _ends(path) if end in positions), None)
        if index is None or split.labels[index] != label:
            what = "is not there" if index is None else f"has label {split.labels[index]}, not {label}"
            raise DataError(
                f"{file} belongs to another split: {path} {what} in the {part} split of this one; delete it, or get "
                "the split file it was drawn from"
            )
        if index in found:
            raise DataError(f"{file}: {part} holds {path} more than once: delete it to have the shots drawn anew")
        found[index] = None
    return tuple(found)


def _check_counts(
    split: Split, found: tuple[int, ...], least: int, most: int, names: tuple[str, ...], what: str
) -> None:
    """Raises DataError unless each class has `least` to `most` images, or all those of the split."""
    taken = Counter(split.labels[index] for index in found)
    for label, count in sorted(Counter(split.labels).items()):
        low, high = min(least, count), min(most, count)
        if not low <= taken[label] <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            raise DataError(
                f"{what} holds {taken[label]} images of {names[label]!r}, and {wanted} are needed: delete it to have "
                "the shots drawn anew"
            )


def _ends(path: str) -> list[str]:
    """All ends of the path: the whole path, the path without its first folder, and so on."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return ["/".join(parts[start:]) for start in range(len(parts))]


def shots_hash(drawn: Dataset) -> str:
    """SHA-256 of the file that `write_shots` writes; `sha256sum` gives the same."""
    return hashlib.sha256(_text(drawn).encode()).hexdigest()


def write_shots(drawn: Dataset, file: Path) -> None:
    """Writes a few-shot draw as JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, _text(drawn))


def _text(drawn: Dataset) -> str:
    """One line with a JSON object per image of a draw, in the order of the draw."""
    parts = {"train": drawn.train, "val": None if drawn.val_is_test else drawn.val}
    images = (
        {"split": part, "path": split.images.name(index), "label": label, "class": drawn.classes.names[label]}
        for part, split in parts.items()
        if split is not None
        for index, label in enumerate(split.labels)
    )
    return "".join(f"{json.dumps(image, ensure_ascii=False)}\n" for image in images)
