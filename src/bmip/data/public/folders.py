"""Readers of public data sets with one folder per class."""

import re
from collections.abc import Mapping
from pathlib import Path

from bmip.data.dataset import DataError
from bmip.data.sources.listing import Listing, items_below, subfolders
from bmip.system.messages import counted


def class_folders(
    folder: Path, images: Path, *, renamed: Mapping[str, str] | None = None, ignored: tuple[str, ...] = ()
) -> Listing:
    """One class per folder, in sorted order, before `renamed` replaces names. `ignored` folders are no class. (CoOp)"""
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
"""Folders of remote-sensing sets whose names in BMIPRS follow no rule; its spelling mistakes are corrected."""


def remote_sensing(folder: Path, images: Path) -> Listing:
    """Like `class_folders`; the folders "BareLand" and "bare_land" both become the name "bare land"."""
    names = subfolders(images)
    return _listing(images, names, tuple(ODD_NAMES.get(name, _spaced(name)) for name in names))


def _spaced(name: str) -> str:
    return " ".join(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower().split())


def _listing(images: Path, folders: list[str], names: tuple[str, ...]) -> Listing:
    if len(folders) < 2:
        raise DataError(f"{images} has {counted(len(folders), 'class folder')}: unpack the data set's archive there")
    return Listing(names, {"all": items_below(images, zip(folders, range(len(names)), names, strict=True))})
