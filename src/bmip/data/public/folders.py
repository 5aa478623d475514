"""Public data sets whose classes are folders."""

import re
from collections.abc import Mapping
from pathlib import Path

from bmip.data.dataset import DataError
from bmip.data.images import image_files
from bmip.data.sources.listing import Listing, list_files
from bmip.data.sources.split_file import Item


def class_folders(
    folder: Path, images: Path, *, renamed: Mapping[str, str] | None = None, ignored: tuple[str, ...] = ()
) -> Listing:
    """Labels are the positions of the sorted folders; their names are made better only afterwards. (CoOp)"""
    better = renamed or {}
    names = [name for name in subfolders(images) if name not in ignored]
    return _listing(images, names, tuple(better.get(name, name) for name in names))


ODD_NAMES = {
    "Center": "center area",
    "Commercial": "commercial area",
    "Commerical": "commercial area",
    "DenseResidential": "dense residential area",
    "Industrial": "industrial area",
    "MediumResidential": "medium residential area",
    "Residential": "residential area",
    "SparseResidential": "sparse residential area",
    "harbor&port": "harbor and port",
    "swimmimg_pool": "swimming pool",
    "parkinglot": "parking lot",
    "sandbeach": "sand beach",
}
"""Folders of remote-sensing sets that BMIPRS names by no rule; its slips of the pen are not taken over."""


def remote_sensing(folder: Path, images: Path) -> Listing:
    """As `class_folders`, with "BareLand" and "bare_land" both read as "bare land"."""
    names = subfolders(images)
    return _listing(images, names, tuple(ODD_NAMES.get(name, _spaced(name)) for name in names))


def _spaced(name: str) -> str:
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower().split())


def _listing(images: Path, folders: list[str], names: tuple[str, ...]) -> Listing:
    if len(folders) < 2:
        raise DataError(f"{images} has {len(folders)} class folders: unpack the data set's archive there")
    items = tuple(
        Item(file, label, name)
        for label, (place, name) in enumerate(zip(folders, names, strict=True))
        for file in image_files(list_files(images, place))
    )
    return Listing(names, {"all": items})


def subfolders(folder: Path) -> list[str]:
    """Sorted, so that nothing depends on the file system; hidden ones do not count."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
