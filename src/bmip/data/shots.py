"""Few-shot draws on disk: those of the reference code are read, one's own are written so that others can check them."""

import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from bmip.atomic import write_text
from bmip.data.dataset import DataError, Dataset, Split


class _OnlyData(pickle.Unpickler):
    """Reads containers, strings, numbers and Dassl's Datum. A pickle may name any function to be called; none is."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.datum = type("Datum", (), {})  # of this file alone: what a pickle does to it stays there

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("dassl.data.datasets.base_dataset", "Datum"):
            return self.datum
        raise pickle.UnpicklingError(f"it names {module}.{name}, and only lists of images are read")


@dataclass(frozen=True)
class Shots:
    """Positions in the data set's training and validation split; `val` is None where none were stored."""

    train: tuple[int, ...]
    val: tuple[int, ...] | None


def stored_file(dataset: Dataset, shots: int, seed: int) -> Path | None:
    """Where the reference code left its draw, if it did."""
    if dataset.stored_shots is None:
        return None
    file = dataset.stored_shots / f"shot_{shots}-seed_{seed}.pkl"
    return file if file.is_file() else None


def read_shots(dataset: Dataset, file: Path) -> Shots:
    """The images that a file of the reference code names, found in the data set by the end of their paths.

    Raises DataError for anything but such a list, and where it does not belong to this data set or split.
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
    val = None
    if dataset.val is not None and not dataset.val_is_test and stored.get("val") is not None:
        val = _found(dataset.val, stored["val"], reader.datum, file, "val")
    return Shots(_found(dataset.train, stored["train"], reader.datum, file, "train"), val)


def _found(split: Split, stored: Any, kind: type, file: Path, part: str) -> tuple[int, ...]:
    positions = {split.images.name(index): index for index in range(len(split))}
    found = []
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
        found.append(index)
    return tuple(found)


def _ends(path: str) -> list[str]:
    """The path without its first folder, its first two, and so on."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return ["/".join(parts[start:]) for start in range(len(parts))]


def shot_lines(drawn: Dataset) -> list[str]:
    """A JSON object for each image of a draw, in its order."""
    parts = {"train": drawn.train} if drawn.val_is_test else {"train": drawn.train, "val": drawn.val}
    return [
        json.dumps(
            {"split": part, "path": split.images.name(index), "label": label, "class": drawn.classes.names[label]},
            ensure_ascii=False,
        )
        for part, split in parts.items()
        if split is not None
        for index, label in enumerate(split.labels)
    ]


def shots_hash(drawn: Dataset) -> str:
    """SHA-256 of the lines that `write_shots` writes, as `sha256sum` computes it of the file."""
    return hashlib.sha256(_text(drawn).encode()).hexdigest()


def write_shots(drawn: Dataset, file: Path) -> None:
    """Writes a few-shot draw as JSON lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, _text(drawn))


def _text(drawn: Dataset) -> str:
    return "".join(f"{line}\n" for line in shot_lines(drawn))
