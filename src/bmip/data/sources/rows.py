"""Images in the rows of a `datasets` table, and checks of those rows."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from bmip.data.batches import ahead
from bmip.data.dataset import DataError, Split
from bmip.data.images import read_bytes, read_image
from bmip.system.messages import counted, first_few

BATCH = 1000  # rows of which is asked at once whether they hold an image


@dataclass(frozen=True, eq=False)
class TableImages:
    """Encoded images in a table on disk; image 17 of the origin "pets/train" has the name "pets/train/17"."""

    rows: Any
    column: str
    origin: str

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        image = self.rows[index][self.column]
        if image["bytes"] is None:
            return read_image(image["path"])
        return read_bytes(image["bytes"], self.name(index))

    def name(self, index: int) -> str:
        return f"{self.origin}/{index}"

    def digest(self, index: int) -> bytes:
        """The SHA-256 of the image's file."""
        return hashlib.sha256(self.encoded(index)).digest()

    def encoded(self, index: int) -> bytes:
        """The bytes of the image file, not decoded."""
        image = self.rows[index][self.column]
        return Path(image["path"]).read_bytes() if image["bytes"] is None else image["bytes"]

    def filled(self) -> list[bool]:
        """For each row whether it holds an image; no image is read."""
        return [
            any(parts)
            for batch in self.rows.with_format("arrow").iter(BATCH)
            for chunk in batch.column(self.column).chunks
            for parts in zip(*(part.is_valid().to_pylist() for part in chunk.flatten()), strict=True)
        ]


def incomplete(images: TableImages, labels: Iterable[Any], names: Sequence[str] | None) -> dict[int, str]:
    """The rows without an image or a valid label, with the reason; `names` are the classes if labels are numbers."""
    lacking = {}
    for index, (filled, label) in enumerate(zip(images.filled(), labels, strict=True)):
        if not filled:
            lacking[index] = f"{images.name(index)} has no image"
        elif label is None or (names is not None and label < 0):
            lacking[index] = f"{images.name(index)} has no label"
        elif names is not None and label >= len(names):
            lacking[index] = f"{images.name(index)} has label {label}; labels run from 0 to {len(names) - 1}"
    return lacking


def unreadable(images: TableImages, indices: Sequence[int]) -> tuple[dict[int, str], dict[str, bytes]]:
    """Decodes these images. Returns the reason for each unreadable one by index, and the hash of each other by name."""
    bad, digests = {}, {}
    for index, found in zip(indices, ahead(partial(_read, images), indices), strict=True):
        if isinstance(found, str):
            bad[index] = found
        else:
            digests[images.name(index)] = found
    return bad, digests


def _read(images: TableImages, index: int) -> str | bytes:
    """The reason why the image cannot be read, else the SHA-256 of its bytes."""
    try:
        images[index]
    except DataError as error:
        row = images.name(index)
        return str(error) if str(error).startswith(row) else f"{row}: {error}"
    return images.digest(index)


def shared(name: str, splits: Mapping[str, Split], digests: Mapping[str, bytes]) -> list[str]:
    """A note if the same encoded image lies in several splits."""
    first: dict[bytes, tuple[str, str]] = {}
    pairs: dict[bytes, str] = {}
    for part, split in splits.items():
        for index in range(len(split)):
            row = split.images.name(index)
            there, other = first.setdefault(digests[row], (part, row))
            if there != part:
                pairs.setdefault(digests[row], f"{other} = {row}")
    note = f"{name} has {counted(len(pairs), 'image')} in two of its splits ({first_few(pairs.values())})"
    return [note] if pairs else []
