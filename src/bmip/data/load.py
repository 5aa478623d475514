"""The data sets that can be asked for by name, and folders by their path."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import torch

from bmip.class_names import ClassNames
from bmip.data.dataset import ArrayImages, DataError, Dataset, Split
from bmip.data.images import FileImages
from bmip.data.names import dataset_names, embedded_names
from bmip.data.public.load import load_public
from bmip.data.public.registry import PUBLIC
from bmip.data.resized_cache import CachedImages
from bmip.data.sources.assembly import Source, completed
from bmip.data.sources.class_name_file import read_class_names
from bmip.data.sources.digits import load_digits_folder
from bmip.data.sources.folder import find_folder
from bmip.data.sources.hub import PREFIX, load_hub
from bmip.data.sources.table import SUFFIXES, find_table
from bmip.data.transforms import Augmentation
from bmip.system.files import cache_folder

ONE_WAY = ("glyphs", "relations")
"""Sets where a mirror image may show another class: letters, left and right."""


def load_dataset(
    name: str,
    *,
    root: Path | str | None = None,
    seed: int = 1,
    skip_bad_images: bool = False,
    template: str | None = None,
    class_names: Mapping[str, str] | Sequence[str] | Path | None = None,
    cache: Path | None = None,
    cache_images: bool = True,
    scaled_decoding: bool = False,
) -> Dataset:
    """A data set by name, or one's own by its path; `./digits` is a folder, `digits` a name.

    Names are those of `dataset_names`; public data sets lie below `root` (see `load_public`). A path is a folder (see
    `find_folder`) or a .csv or .jsonl file (see `find_table`), and `hub:` stands before what `load_hub` reads.
    `class_names`, also from a file, is for one's own data. `seed` draws a split only where none is written down; it is
    not the seed of the few-shot draw, so keep it fixed across runs that are to be compared. What can be made again is
    kept in `cache`: which files are readable, and with `cache_images` the resized test images. `scaled_decoding`
    decodes large JPEGs of the test split at a smaller size, which is faster and not quite the same.
    """
    if isinstance(class_names, Path):
        class_names = read_class_names(class_names)
    dataset = _loaded(name, root, seed, skip_bad_images, template, class_names, cache)
    images = dataset.test.images
    if not isinstance(images, FileImages):
        return dataset
    images = replace(images, scaled=scaled_decoding)
    kept = CachedImages(images, (cache or cache_folder()) / "squares") if cache_images else images
    test = Split(kept, dataset.test.labels)
    return replace(dataset, test=test, val=test if dataset.val_is_test else dataset.val)


def _loaded(
    name: str,
    root: Path | str | None,
    seed: int,
    skip_bad_images: bool,
    template: str | None,
    class_names: Mapping[str, str] | Sequence[str] | None,
    cache: Path | None,
) -> Dataset:
    own = {"seed": seed, "template": template or ClassNames.template, "class_names": class_names}
    files = {"skip_bad_images": skip_bad_images, "cache": cache}
    if name.startswith(PREFIX):
        return load_hub(name.removeprefix(PREFIX), **own, skip_bad_images=skip_bad_images)
    if name in dataset_names():
        check_renaming(name, class_names)
        return _load_known(name, root, seed, template, skip_bad_images, cache)
    return completed(find_own(name, cache), **own, **files)


def check_renaming(name: str, class_names: object) -> None:
    """Raises DataError where a data set with names of its own is given others."""
    if class_names is not None:
        raise DataError(f"the data set {name!r} has its own class names; class_names is for one's own data")


def find_own(name: str, cache: Path | None = None) -> Source:
    """One's own images: a folder or a table. Raises DataError for what is neither."""
    if name.lower().endswith(SUFFIXES):
        return find_table(Path(name), cache)
    if Path(name).is_dir() or any(sign in name for sign in "/\\."):
        return find_folder(Path(name), cache)
    near = get_close_matches(name.lower(), dataset_names(), cutoff=0.5) or embedded_names()
    raise DataError(
        f"{name!r} is neither a data set ({', '.join(near)}) nor a folder: see `bmip data list`, "
        "or give the path of a folder with one folder of images per class"
    )


def _load_known(
    name: str, root: Path | str | None, seed: int, template: str | None, skip_bad_images: bool, cache: Path | None
) -> Dataset:
    if name == "digits":
        return load_digits_folder(cache, **({} if template is None else {"template": template}))
    if name in PUBLIC:
        return load_public(name, root, seed=seed, template=template, skip_bad_images=skip_bad_images, cache=cache)
    return _load_world(name, template)


def _load_world(name: str, template: str | None) -> Dataset:
    from bmip.embedded.world import load_world

    world = load_world(name)

    def split(part: Literal["train", "val", "test"]) -> Split:
        pixels, labels = world.split(part)
        images = ArrayImages(torch.as_tensor(pixels), f"{name}/{part}")
        return Split(images, tuple(int(label) for label in labels))

    classes = ClassNames(tuple(world.class_names), template or world.template, tuple(world.templates))
    augmentation = Augmentation(flip=name not in ONE_WAY)
    return Dataset(name, classes, split("train"), split("val"), split("test"), augmentation=augmentation)
