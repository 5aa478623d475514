"""A data set in the format of Hugging Face's `datasets`: a hub id, a folder or a parquet file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from jaxtyping import UInt8
from torch import Tensor

from bmip.clip.texts import ClassNames
from bmip.data.assembly import missing_drawn, renamed
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.reading import read_bytes, read_image
from bmip.data.splitfile import PARTS, Item

PREFIX = "hub:"
SPLITS = {"train": "train", "validation": "val", "val": "val", "valid": "val", "test": "test"}


@dataclass(frozen=True, eq=False)
class TableImages:
    """Encoded images in a table on disk; image 17 of "pets/train" is called "pets/train/17"."""

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


def load_hub(
    name: str,
    *,
    seed: int = 1,
    template: str = "a photo of a {}.",
    class_names: Mapping[str, str] | Sequence[str] | None = None,
) -> Dataset:
    """`name` is a hub id, a folder that `datasets` wrote or can read, or a parquet file, without `PREFIX`.

    The image and label columns are found by their kind. Splits called train, validation and test are taken; what is
    missing is drawn by `seed`, stratified, from what there is. Images are decoded when they are asked for.
    """
    tables = _tables(name)
    image, label = _columns(name, next(iter(tables.values())))
    names, labels = _labels(tables, label)
    short = Path(name).stem if name.endswith(".parquet") else Path(name).name
    splits = {
        part: Split(TableImages(_encoded(table, image), image, f"{short}/{part}"), labels[part])
        for part, table in tables.items()
    }
    classes = ClassNames(renamed(names, class_names), template)
    if set(splits) == {"test"}:
        return Dataset(short, classes, splits["test"].take([]), None, splits["test"])
    if set(splits) == {"train", "val"}:
        note = f"{short} has no test split: its validation split is what is judged"
        return Dataset(short, classes, splits["train"], splits["val"], splits["val"], True, notes=(note,))
    if set(splits) == set(PARTS):
        return Dataset(short, classes, splits["train"], splits["val"], splits["test"])
    return _drawn(short, classes, splits, seed)


def _drawn(name: str, classes: ClassNames, splits: dict[str, Split], seed: int) -> Dataset:
    """All from "train" where there is no other split, else the validation part."""
    items = tuple(Item(str(i), label, classes.names[label]) for i, label in enumerate(splits["train"].labels))
    only = "test" not in splits
    parts = missing_drawn({"all": items} if only else {"train": items, "test": ()}, seed)
    train, val, test = (splits["train"].take([int(item.path) for item in part]) for part in parts.by_name().values())
    missing = "validation and test splits" if only else "validation split"
    note = f"{name} has no {missing}: drawn by seed {seed}"
    return Dataset(name, classes, train, val if len(val) else None, test if only else splits["test"], notes=(note,))


def _tables(name: str) -> dict[str, Any]:
    """The splits there are, by our names."""
    datasets, place = _library(), Path(name)
    try:
        if name.endswith(".parquet"):
            if not place.is_file():
                raise DataError(f"the file {name} does not exist")
            found = datasets.load_dataset("parquet", data_files=name)
        elif (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():
            found = datasets.load_from_disk(name)
        else:
            found = datasets.load_dataset(name)
    except DataError:
        raise
    except Exception as error:  # network, format and permissions each have errors of their own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(
            f"datasets cannot load {name!r} ({reason}): give a hub id, a folder or a parquet file"
        ) from error
    tables = dict(found) if isinstance(found, dict) else {"train": found}
    known = {SPLITS[split]: table for split, table in tables.items() if split in SPLITS}
    if not known:
        raise DataError(f"{name} has the splits {', '.join(tables)}; train, validation or test are needed")
    return known


def _columns(name: str, table: Any) -> tuple[str, str]:
    datasets, features = _library(), table.features
    images = [
        column
        for column, kind in features.items()
        if isinstance(kind, datasets.Image) or (isinstance(kind, dict) and "bytes" in kind)
    ]
    labels = [column for column, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    labels = labels or [column for column in ("label", "labels", "class") if column in features]
    if len(images) != 1 or len(labels) != 1:
        raise DataError(
            f"{name} has the columns {', '.join(features)}, {len(images)} of images and {len(labels)} of labels: one "
            "of each is needed"
        )
    return images[0], labels[0]


def _labels(tables: dict[str, Any], column: str) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """The class names, and the labels of each split."""
    given = {part: list(table[column]) for part, table in tables.items()}
    names = getattr(next(iter(tables.values())).features[column], "names", None)
    if names is not None:
        return tuple(names), {part: tuple(values) for part, values in given.items()}
    found = sorted({value for values in given.values() for value in values})
    positions = {value: place for place, value in enumerate(found)}
    return tuple(map(str, found)), {part: tuple(positions[value] for value in values) for part, values in given.items()}


def _encoded(table: Any, column: str) -> Any:
    return table.select_columns([column]).cast_column(column, _library().Image(decode=False))


def _library() -> Any:
    try:
        return import_module("datasets")
    except ImportError as error:
        raise DataError(f"what begins with {PREFIX} needs the package datasets: pip install 'bmip[hub]'") from error
