"""Readers of public data sets with labels in MATLAB files."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bmip.data.dataset import DataError
from bmip.data.sources.listing import Item, Listing


def _table(file: Path, field: str) -> Any:
    """One variable of a MATLAB file. Cell arrays become arrays, structures dictionaries."""
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DataError(f"{file} is a MATLAB file, and SciPy is not installed: pip install 'bmip[matlab]'") from error
    if not file.is_file():
        raise DataError(f"{file} does not exist; without a published split it is needed: see `bmip data prepare`")
    try:
        return loadmat(file, simplify_cells=True)[field]
    except Exception as error:  # SciPy raises about every type there is
        raise DataError(f"{file} is no MATLAB file with {field!r} ({error}): get it again") from error


def cars(folder: Path, images: Path) -> Listing:
    """Stanford Cars. "Audi S4 Sedan 2012" in cars_meta.mat is the class "2012 Audi S4 Sedan"."""
    names = tuple(map(_year_first, _as_list(_table(folder / "devkit" / "cars_meta.mat", "class_names"))))

    def listed(file: Path, place: str) -> tuple[Item, ...]:
        items = []
        for row in _as_list(_table(file, "annotations")):
            try:
                image, label = str(row["fname"]), int(row["class"]) - 1
                items.append(Item(f"{place}/{image}", label, names[label]))
            except (KeyError, TypeError, ValueError, IndexError) as error:
                raise DataError(f"{file} has no image with a class of cars_meta.mat in {row}: get it again") from error
        return tuple(items)

    return Listing(
        names,
        {
            "train": listed(folder / "devkit" / "cars_train_annos.mat", "cars_train"),
            "test": listed(folder / "cars_test_annos_withlabels.mat", "cars_test"),
        },
    )


def _year_first(name: str) -> str:
    model, _, year = str(name).rpartition(" ")
    return f"{year} {model}"


def _as_list(value: Any) -> list[Any]:
    """The rows as a list; SciPy does not wrap a single row."""
    return [value] if isinstance(value, str | dict) else list(value)


def flowers(folder: Path, images: Path) -> Listing:
    """Flowers 102. Image 17 is image_00017.jpg; labels start at 1 and have their names in cat_to_name.json."""
    file = folder / "cat_to_name.json"
    try:
        given = json.loads(file.read_text(encoding="utf-8-sig"))
        names = tuple(given[str(number)] for number in range(1, len(given) + 1))
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise ValueError("a name must be a word")
    except FileNotFoundError:
        raise DataError(f"{file} does not exist: `bmip data prepare oxford_flowers` says where it comes from") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(f"{file} does not name the classes 1, 2, 3, ... ({error}): get it again") from error
    items = []
    for number, value in enumerate(np.ravel(_table(folder / "imagelabels.mat", "labels")).tolist(), start=1):
        if not isinstance(value, int) or not 1 <= value <= len(names):
            raise DataError(f"{folder / 'imagelabels.mat'}: image {number} is of class {value}, which {file} lacks")
        items.append(Item(f"image_{number:05}.jpg", value - 1, names[value - 1]))
    return Listing(names, {"all": tuple(items)})
