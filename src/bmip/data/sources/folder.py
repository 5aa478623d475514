"""A data set from a folder of images, with its split written down and its files checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.data.checks import some
from bmip.data.dataset import DataError, Dataset
from bmip.data.images import image_files
from bmip.data.sources.assembly import Source, completed, first_there, split_places
from bmip.data.sources.listing import Listing, list_files, list_folder
from bmip.data.sources.split_file import inspect_parts, names_of

SPLIT_FILE = "split.json"


def load_folder(
    path: Path | str,
    *,
    seed: int = 1,
    template: str = "a photo of a {}.",
    class_names: Mapping[str, str] | Sequence[str] | None = None,
    skip_bad_images: bool = False,
    cache: Path | None = None,
) -> Dataset:
    """The images below `path`: a folder per class, or such folders below train/, test/ and perhaps val/.

    What the folder leaves open is drawn by `seed`, stratified, and written to `split.json` beside the images (or into
    the cache where nothing can be written there); a split that is written down is kept, whatever the seed.
    `class_names` says the classes in better words than the folders' names: a mapping from those, or all of them in the
    order of the labels. Every file is read before it counts; `skip_bad_images` leaves out what cannot be read and names
    it in the notes.
    """
    return completed(
        find_folder(Path(path), cache),
        seed=seed,
        template=template,
        class_names=class_names,
        skip_bad_images=skip_bad_images,
        cache=cache,
    )


def find_folder(folder: Path, cache: Path | None = None) -> Source:
    """Raises DataError where there is no folder per class."""
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"the folder of images {folder} {found}: give a folder with one folder of images per class")
    splits = split_places(folder / SPLIT_FILE, folder, cache)
    name, written = folder.resolve().name, first_there(splits)
    if written is None:
        return Source(name, folder, list_folder(folder), splits)
    parts, faults = inspect_parts(written)
    cure = f"mend it, or delete {written.name} to have a new split drawn"
    listed = {item.path for items in parts.by_name().values() for item in items}
    unused = tuple(sorted(set(image_files(list_files(folder))).difference(listed)))
    note = (
        f"{len(unused)} images in {folder} are not in {written} and stay unused ({some(unused)}); delete it to draw "
        "again"
    )
    listing = Listing(names_of(parts.train), parts.by_name(), (note,) if unused else ())
    return Source(name, folder, listing, splits, written, tuple(f"{fault}: {cure}" for fault in faults), unused)
