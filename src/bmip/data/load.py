"""Loads a data set by its name, or your own by its path."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bmip.class_names import ClassNames, texts
from bmip.data.checks import refuse
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.images import FileImages
from bmip.data.names import HUB_PREFIX, check_data, dataset_names, embedded_names
from bmip.data.public.load import load_public
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig, with_usable_cache
from bmip.data.resized_cache import CachedImages
from bmip.data.sources.assembly import Names, Source, completed, files, readable, renamed
from bmip.data.sources.class_name_file import read_class_names
from bmip.data.sources.digits import digits_dataset
from bmip.data.sources.embedded import embedded_dataset
from bmip.data.sources.folder import find_folder
from bmip.data.sources.hub import load_hub
from bmip.data.sources.table import SUFFIXES, find_table
from bmip.embedded.scenes.datasets import load_scenes


def load_dataset(
    name: str | Path, read: ReadConfig = ReadConfig(), *, class_names: Mapping[str, str] | Sequence[str] | None = None
) -> Dataset:
    """Loads a data set by its name, or your own by its path; `digits` is a name, `./digits` a folder.

    `name` is one of `dataset_names`, the path of a folder (see `find_folder`), the path of a table (see `find_table`),
    or what `load_hub` reads with "hub:" before it; a `Path` is always a path. `class_names` gives the classes of your
    own data better names: a mapping from the old names, or all names in the order of the labels; it wins over
    `read.class_names`. Without a cache that can be written to, it goes on without one and adds a note.

    Raises DataError for data that do not exist, cannot be read, or are not fit to train and evaluate on.
    """
    name = name_of(name)
    names = better_names(name, read, class_names)
    if name == "digits":
        return digits_dataset(read.template)
    read, notes = with_usable_cache(read)
    dataset = _loaded(name, read, names)
    dataset = replace(dataset, notes=(*dataset.notes, *notes))
    images = dataset.test.images
    if not isinstance(images, FileImages):
        return dataset
    images = replace(images, scaled=read.scaled_decoding)
    kept = CachedImages(images, read.cache_folder / "squares") if read.cache_folder else images
    test = Split(kept, dataset.test.labels)
    return replace(dataset, test=test, val=test if dataset.val_is_test else dataset.val)


def load_evaluated(name: str | Path, read: ReadConfig = ReadConfig()) -> tuple[ClassNames, Split, tuple[str, ...]]:
    """The class names, the images to evaluate on, and the reason for each image that was left out.

    These are the images of the test split, or all images where your own data have no split. `name` as for
    `load_dataset`. Nothing is drawn or written down. Raises DataError as `load_dataset` does.
    """
    name = name_of(name)
    if name in dataset_names() or name.startswith(HUB_PREFIX):
        dataset = load_dataset(name, read)
        return dataset.classes, dataset.test, dataset.skipped
    better, (read, _) = better_names(name, read), with_usable_cache(read)
    source = find_own(name, read)
    refuse(source.listing.faults)
    part = "test" if "test" in source.listing.parts else "all"
    parts, skipped = readable(source.folder, {part: source.listing.parts[part]}, read)
    classes = ClassNames(renamed(source.listing.names, better), read.template or ClassNames.template)
    return classes, files(source.folder, parts[part]), tuple(skipped)


def name_of(given: str | Path) -> str:
    """The name or path as text: `Path("digits")` is the folder `./digits`, "digits" the data set.

    Raises DataError for other types.
    """
    if isinstance(given, Path):
        return f"./{given}" if str(given) in dataset_names() else str(given)
    if not isinstance(given, str):
        raise DataError(f"{given!r} is neither the name of a data set nor a path: give a text or a Path")
    return given


def better_names(name: str, read: ReadConfig, given: Names = None) -> Names:
    """The class names that replace those of the data set `name`: `given`, or those of the file `read.class_names`.

    Raises DataError for a data set that is known by its name: it has good names already. Raises ValueError for names
    that are no texts.
    """
    if given is None and read.class_names:
        given = read_class_names(Path(read.class_names))
    if given is not None:
        texts(given.values() if isinstance(given, Mapping) else given, "class names")
        if name in dataset_names():
            raise DataError(f"the data set {name!r} has its own class names; class_names is for one's own data")
    return given


def _loaded(name: str, read: ReadConfig, class_names: Names) -> Dataset:
    if name.startswith(HUB_PREFIX):
        return load_hub(name.removeprefix(HUB_PREFIX), read, class_names)
    if name in PUBLIC:
        return load_public(name, read)
    if name in embedded_names():
        return embedded_dataset(load_scenes(name), read.template)
    return completed(find_own(name, read), read, class_names)


def find_own(name: str, read: ReadConfig) -> Source:
    """Finds your own images: a folder or a table. Raises DataError for a name that is neither."""
    check_data(name)
    place = Path(name)
    if place.is_dir():
        return find_folder(place, read.cache_folder)
    if place.suffix.lower() in SUFFIXES:
        return find_table(place, read)
    raise DataError(
        f"{name} is a file: give a folder with one folder of images per class, or a table ({', '.join(SUFFIXES)})"
    )
