"""Loads a data set of Hugging Face's `datasets`: a hub id, a folder or a parquet file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from bmip.class_names import ClassNames
from bmip.data.dataset import Chosen, DataError, Dataset, Split
from bmip.data.names import HUB_PREFIX
from bmip.data.read_config import ReadConfig, how_to_set
from bmip.data.sources.assembly import Names, missing_drawn, renamed
from bmip.data.sources.listing import Item
from bmip.data.sources.rows import TableImages, incomplete, shared, unreadable
from bmip.data.sources.split_file import PARTS
from bmip.system.messages import counted, first_few, first_line, nearest

SPLITS = {"train": "train", "validation": "val", "val": "val", "valid": "val", "test": "test"}


def load_hub(name: str, read: ReadConfig = ReadConfig(), class_names: Names = None) -> Dataset:
    """Loads a hub id, a folder that `datasets` wrote or can read, or a parquet file; `name` comes without HUB_PREFIX.

    The image column is found by its kind, and so is the label column unless `read.label_column` names it. The splits
    called train, validation and test are used; a missing one is drawn from the others by `read.split_seed`, stratified.
    Images are decoded when they are asked for.

    Raises DataError for a row without an image or a label. `read.skip_bad_images` leaves such rows out, decodes every
    image once, leaves out those that cannot be read, and notes images that lie in two splits.
    """
    tables = _tables(name)
    image, label = _columns(name, next(iter(tables.values())), read.label_column)
    short = Path(name).stem if name.endswith(".parquet") else Path(name).name
    images = {part: TableImages(_encoded(table, image), image, f"{short}/{part}") for part, table in tables.items()}
    given = {part: list(table[label]) for part, table in tables.items()}
    names = getattr(next(iter(tables.values())).features[label], "names", None)
    kept, skipped, digests = _usable(short, images, given, names, read.skip_bad_images)
    names, labels = _labels({part: [given[part][index] for index in kept[part]] for part in kept}, names)
    splits = {part: Split(Chosen(images[part], kept[part]), labels[part]) for part in kept}
    classes = ClassNames(renamed(names, class_names), read.template or ClassNames.template)
    dataset = _assembled(short, classes, splits, read.split_seed)
    notes = dataset.notes
    if read.skip_bad_images:
        parts = {part: split for part, split in dataset.splits().items() if not (dataset.val_is_test and part == "val")}
        notes = (*notes, *shared(short, parts, digests))
    return replace(dataset, notes=notes, skipped=tuple(skipped))


def _usable(
    name: str,
    images: Mapping[str, TableImages],
    given: Mapping[str, list[Any]],
    names: Sequence[str] | None,
    skip_bad_images: bool,
) -> tuple[dict[str, tuple[int, ...]], list[str], dict[str, bytes]]:
    """The rows of each split that can be used, the reasons against the others, and the hashes of all decoded images."""
    bad = {part: incomplete(images[part], given[part], names) for part in images}
    reasons = [reason for found in bad.values() for reason in found.values()]
    if reasons and not skip_bad_images:
        raise DataError(
            f"{name} has {counted(len(reasons), 'row')} without an image or a label ({first_few(reasons)}): mend or "
            f"remove what is bad, or go on without it ({how_to_set('skip_bad_images')})"
        )
    digests: dict[str, bytes] = {}
    for part in images if skip_bad_images else ():
        worse, hashes = unreadable(images[part], [row for row in range(len(images[part])) if row not in bad[part]])
        bad[part] |= worse
        digests |= hashes
    kept = {part: tuple(row for row in range(len(images[part])) if row not in bad[part]) for part in images}
    for part, rows in kept.items():
        if bad[part] and not rows:
            found = first_few(list(bad[part].values()))
            raise DataError(
                f"{name} has no usable images in its {part} split ({found}): mend them, or remove the split"
            )
    return kept, [reason for found in bad.values() for reason in found.values()], digests


def _assembled(name: str, classes: ClassNames, splits: dict[str, Split], seed: int) -> Dataset:
    note = f"{name} has no test split: its validation split is used as the test split"
    if "train" not in splits:
        test, notes = (splits["test"], ()) if "test" in splits else (splits["val"], (note,))
        return Dataset(name, classes, test.take([]), None, test, notes=notes)
    if set(splits) == {"train", "val"}:
        return Dataset(name, classes, splits["train"], splits["val"], splits["val"], True, notes=(note,))
    if set(splits) == set(PARTS):
        return Dataset(name, classes, splits["train"], splits["val"], splits["test"])
    return _drawn(name, classes, splits, seed)


def _drawn(name: str, classes: ClassNames, splits: dict[str, Split], seed: int) -> Dataset:
    """Draws the missing splits from "train": validation and test, or validation only."""
    items = tuple(Item(str(i), label, classes.names[label]) for i, label in enumerate(splits["train"].labels))
    only = "test" not in splits
    parts = missing_drawn({"all": items} if only else {"train": items, "test": ()}, seed)
    train, val, test = (splits["train"].take([int(item.path) for item in part]) for part in parts.values())
    missing = "validation and test splits" if only else "validation split"
    note = f"{name} has no {missing}: drawn by seed {seed}"
    return Dataset(name, classes, train, val if len(val) else None, test if only else splits["test"], notes=(note,))


def _tables(name: str) -> dict[str, Any]:
    """The splits that exist, by the names train, val and test."""
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
        reason = first_line(error)
        raise DataError(
            f"datasets cannot load {name!r} ({reason}): give a hub id, a folder or a parquet file"
        ) from error
    tables = dict(found) if isinstance(found, dict) else {"train": found}
    known = {SPLITS[split]: table for split, table in tables.items() if split in SPLITS}
    if not known:
        raise DataError(f"{name} has the splits {', '.join(tables)}; train, validation or test are needed")
    return known


def _columns(name: str, table: Any, chosen: str) -> tuple[str, str]:
    """The columns of images and of labels; `chosen` is the name of the label column if the user gives one."""
    datasets, features = _library(), table.features
    images = [
        column
        for column, kind in features.items()
        if isinstance(kind, datasets.Image) or (isinstance(kind, dict) and "bytes" in kind)
    ]
    if len(images) != 1:
        found = f"columns of images: {', '.join(images) or 'none'}"
        raise DataError(f"{name} has the columns {', '.join(features)}; one of images is needed ({found})")
    if chosen and (chosen not in features or chosen in images):
        others = [column for column in features if column not in images]
        raise DataError(f"{name} has no column of labels {chosen!r}: {nearest(chosen, others)}")
    labels = [column for column, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    labels = labels or [column for column in ("label", "labels", "class") if column in features]
    if not chosen and len(labels) != 1:
        found = f"several columns of labels, {', '.join(labels)}" if labels else "no column of labels"
        raise DataError(
            f"{name} has {found}, among {', '.join(features)}: choose one with "
            f"{how_to_set('label_column', 'NAME')} (in Python ReadConfig(label_column=NAME))"
        )
    return images[0], chosen or labels[0]


def _labels(
    given: dict[str, list[Any]], names: Sequence[str] | None
) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """The class names, and the labels of each split as numbers."""
    if names is not None:
        return tuple(names), {part: tuple(values) for part, values in given.items()}
    odd = [value for values in given.values() for value in values if not isinstance(value, str | int)]
    if odd:
        raise DataError(
            f"a label is {odd[0]!r}, a {type(odd[0]).__name__}; a word or a whole number is needed for each image: "
            f"choose another column ({how_to_set('label_column', 'NAME')})"
        )
    found = sorted({value for values in given.values() for value in values})
    positions = {value: place for place, value in enumerate(found)}
    return tuple(map(str, found)), {part: tuple(positions[value] for value in values) for part, values in given.items()}


def _encoded(table: Any, column: str) -> Any:
    return table.select_columns([column]).cast_column(column, _library().Image(decode=False))


def _library() -> Any:
    try:
        return import_module("datasets")
    except ImportError as error:
        raise DataError(f"what begins with {HUB_PREFIX} needs the package datasets: pip install 'bmip[hub]'") from error
