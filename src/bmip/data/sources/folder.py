"""Finds the images and the written split of a folder of images."""

from pathlib import Path

from bmip.data.images import image_files
from bmip.data.sources.assembly import Source, first_there, split_places, unused_note
from bmip.data.sources.listing import Listing, list_files, list_folder
from bmip.data.sources.split_file import inspect_parts, names_of

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
    parts, wrong = inspect_parts(written)
    cure = f"mend it, or delete {written.name} to have a new split drawn"
    listed = {item.path for items in parts.by_name().values() for item in items}
    faults = [f"{fault}: {cure}" for fault in wrong]
    unused = tuple(sorted(set(image_files(list_files(folder, faults=faults))).difference(listed)))
    listing = Listing(names_of(parts.train), parts.by_name(), unused_note(unused, folder, written), tuple(faults))
    return Source(name, folder, listing, splits, written, unused)
