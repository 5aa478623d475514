"""A data set from a folder of images, with its split written down and its files checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.data.assembly import completed, first_there, some, split_places
from bmip.data.dataset import DataError, Dataset
from bmip.data.listing import Listing, list_files, list_folder
from bmip.data.reading import image_files
from bmip.data.splitfile import names_of, read_parts

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
    folder = Path(path)
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"the folder of images {folder} {found}: give a folder with one folder of images per class")
    splits = split_places(folder / SPLIT_FILE, folder, cache)
    written = first_there(splits)
    listing = _from_file(folder, written) if written else list_folder(folder)
    return completed(
        folder.resolve().name,
        folder,
        listing,
        splits,
        seed=seed,
        template=template,
        class_names=class_names,
        skip_bad_images=skip_bad_images,
        cache=cache,
    )


def _from_file(folder: Path, file: Path) -> Listing:
    parts = read_parts(file)
    there = set(image_files(list_files(folder)))
    listed = {item.path for items in parts.by_name().values() for item in items}
    gone = sorted(path for path in listed - there if not (folder / path).is_file())
    if gone:
        raise DataError(
            f"{file} names {len(gone)} files that are not in {folder} ({some(gone)}): "
            f"restore them, or delete {file.name} to have a new split drawn"
        )
    unused = sorted(there - listed)
    note = (
        f"{len(unused)} images in {folder} are not in {file} and stay unused ({some(unused)}); delete it to draw again"
    )
    return Listing(names_of(parts.train, file), parts.by_name(), (note,) if unused else ())
