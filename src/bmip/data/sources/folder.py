"""Finds the images and the written split of a folder of images."""

from dataclasses import replace
from pathlib import Path

from bmip.class_names import words
from bmip.data.images import image_files
from bmip.data.sources.assembly import Source, first_there, split_places, unused_note
from bmip.data.sources.listing import PART_NAMES, list_files, list_folder
from bmip.data.sources.split_file import inspect_split

SPLIT_FILE = "split.json"


def find_folder(folder: Path, cache: Path | None) -> Source:
    """The images below `folder`: a folder per class, or such folders below train/, test/ and perhaps val/.

    A split that was written to `split.json` beside the images, or into the cache, decides about the parts. Raises
    DataError for a folder without class folders.
    """
    splits = split_places(folder / SPLIT_FILE, folder, cache)
    name, written = folder.resolve().name, first_there(splits)
    if written is None:
        return Source(name, folder, list_folder(folder), splits)
    listing = inspect_split(written)
    cure = f"mend it, or delete {written.name} to have a new split drawn"
    faults = [f"{fault}: {cure}" for fault in listing.faults]
    unused = tuple(sorted(set(image_files(list_files(folder, faults=faults))).difference(listing.paths())))
    classes = sorted({words(_class_folder(path)) for path in unused}.difference(listing.names))
    listing = replace(listing, notes=unused_note(unused, folder, written, classes), faults=tuple(faults))
    return Source(name, folder, listing, splits, written, unused)


def _class_folder(path: str) -> str:
    """The folder that says the class of an image: the first one, or the one below train/, val/ or test/."""
    first, *others = path.split("/")
    is_part = any(first.lower() in known for known in PART_NAMES.values())
    return others[0] if is_part and len(others) > 1 else first
