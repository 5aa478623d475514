"""Loads a public data set from its folder below the root."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from bmip.class_names import ClassNames
from bmip.data.checks import class_faults, refuse
from bmip.data.dataset import DataError, Dataset
from bmip.data.public.readers import READERS
from bmip.data.public.registry import PUBLIC, PublicSet
from bmip.data.read_config import ReadConfig, how_to_set
from bmip.data.sources.assembly import (
    files,
    first_there,
    keep_split,
    missing_drawn,
    readable,
    split_places,
    untested,
    without,
)
from bmip.data.sources.listing import Listing, report_closed
from bmip.data.sources.split_file import PARTS, leads_out, read_split, usable, write_parts
from bmip.system.messages import counted, first_few

SHOTS_FOLDER = "split_fewshot"


def load_public(name: str, read: ReadConfig = ReadConfig()) -> Dataset:
    """Loads the data set `name` of `PUBLIC` from its folder below `read.root`, laid out as for CoOp.

    The published split is used if it is there. Otherwise one is drawn by `read.split_seed` as CoOp draws it, but from
    sorted lists, and written beside the data under another name. The files that the split names must exist; they are
    not decoded yet. `read.skip_bad_images` decodes each once, and leaves out those that are missing or cannot be read.

    Raises DataError for missing folders and files, a damaged split, and classes without training images.
    """
    known = PUBLIC[name]
    folder, images = places(known, read.root)
    listing = list_public(known, folder, images, read)
    parts, notes, skipped = listing.parts, list(listing.notes), []
    gone = missing(images, listing.paths())
    if gone and not read.skip_bad_images:
        raise DataError(
            f"{name}: {images} lacks {counted(len(gone), 'file')} of its split ({first_few(gone)}): unpack its "
            f"archives again, or go on without them ({how_to_set('skip_bad_images')})"
        )
    if read.skip_bad_images:
        parts, bad = readable(images, without(parts, set(gone)), read)
        skipped = [*(f"{images / path} does not exist" for path in gone), *bad]
    if "train" in parts:
        refuse(class_faults(images, listing.names, parts))
    notes += untested(images, listing.names, parts["test"])
    if len(listing.names) != known.classes:
        notes.append(
            f"{name} has {counted(len(listing.names), 'class')} in {folder}; published results are on {known.classes}"
        )
    dataset = public_dataset(known, folder, replace(listing, parts=parts, notes=tuple(notes)), read.template)
    return replace(dataset, skipped=tuple(skipped))


def public_dataset(known: PublicSet, folder: Path, listing: Listing, template: str = "") -> Dataset:
    """The data set of a listing. Without a training part it can only be evaluated on."""
    train, val, test = (files(folder / known.images, listing.parts.get(part, ())) for part in PARTS)
    val_is_test = bool(len(train)) and "val" not in listing.parts
    return Dataset(
        known.name,
        _class_names(known, folder, listing.names, template),
        train,
        test if val_is_test else val if len(val) else None,
        test,
        val_is_test=val_is_test,
        notes=listing.notes,
        stored_shots=folder / SHOTS_FOLDER,
    )


def _class_names(known: PublicSet, folder: Path, names: tuple[str, ...], template: str = "") -> ClassNames:
    try:
        return ClassNames(names, template or known.template, duplicates=known.like_imagenet)
    except ValueError as error:
        raise DataError(f"{known.name} in {folder}: {error}") from error


def places(known: PublicSet, root: str) -> tuple[Path, Path]:
    """The data set's folder and its folder of images. Raises DataError if one of them does not exist."""
    if not root:
        raise DataError(
            f"{known.name} is read from files: give the folder that holds {known.folder}/ with "
            f"{how_to_set('root', 'DIR')} (`bmip data prepare {known.name} --root DIR` fetches it)"
        )
    folder = Path(root) / known.folder
    images = folder / known.images
    if not Path(root).is_dir():
        raise DataError(f"the root {root} does not exist: give the folder that holds {known.folder}/")
    if not folder.is_dir():
        within = ", and this looks like that folder: give the one above it" * (Path(root).name == known.folder)
        raise DataError(
            f"{folder} does not exist; the root ({how_to_set('root', 'DIR')}) is the folder that holds "
            f"{known.folder}/{within} (`bmip data prepare {known.name} --root DIR` fetches it)"
        )
    if not images.is_dir():
        found = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
        raise DataError(
            f"{folder} has no folder {known.images}/ with the images of {known.title}; it holds "
            f"{first_few(found) or 'nothing'}: unpack the archives as docs/datasets.md shows"
        )
    return folder, images


def list_public(known: PublicSet, folder: Path, images: Path, read: ReadConfig) -> Listing:
    """The classes and items of the published split, else of the one drawn before, else of a new one."""
    file = written_split(known, folder, read.cache_folder)
    notes: list[str] = []
    if known.split_file is None or file is None:
        listing = read_lists(known, folder, images)
        refuse(listing.faults)
        if known.split_file is None:
            return listing
        gone = missing(images, listing.paths())
        if gone:
            raise DataError(
                f"{known.name}: {images} lacks {counted(len(gone), 'file')} of its lists ({first_few(gone)}): unpack "
                "its archives again, so that a split can be drawn"
            )
        note = (
            f"drawn by bmip (seed {read.split_seed}) because {known.split_file} was not there; it is not the published "
            "split, and results on it do not compare with published ones"
        )
        drawn = missing_drawn(listing.parts, read.split_seed)
        places = _own_splits(known, folder, read.cache_folder)
        file, notes = keep_split(drawn, places, note, write=partial(write_parts, seed=read.split_seed))
        if file is None:
            return Listing(listing.names, drawn, (f"{known.name}: the split was {note}", *notes))
    if file.name == known.split_file:
        return read_split(file, f"get it again (`bmip data prepare {known.name} --plan` says where)")
    remark = (
        f"{known.name}: {folder / known.split_file} is not there; the split in {file} was drawn by bmip and is not "
        f"the published one (`bmip data prepare {known.name} --plan` says where that is); delete it to draw again"
    )
    kept = read_split(file)
    if kept.seed not in (None, read.split_seed):
        notes.append(f"the split in {file} was drawn with the split seed {kept.seed}, not {read.split_seed}")
    return replace(kept, notes=(remark, *notes))


def read_lists(known: PublicSet, folder: Path, images: Path) -> Listing:
    """The usable items of the data set's own folders and lists, and a message for each fault."""
    listing = READERS[known.name](folder, images)
    _class_names(known, folder, listing.names)
    parts, faults = usable(listing.parts, dict(enumerate(listing.names)), f"{known.name} in {folder}")
    outside = [item.path for items in parts.values() for item in items if leads_out(item.path)]
    if outside:
        faults.append(f"{known.name} in {folder} lists paths that lead out of the folder ({first_few(outside)})")
        parts = without(parts, set(outside))
    if "train" in parts or "all" in parts:
        faults += class_faults(images, listing.names, parts)
    return replace(listing, parts=parts, faults=tuple(faults))


def written_split(known: PublicSet, folder: Path, cache: Path | None) -> Path | None:
    """The file of the published split, else of the one that was drawn here, else None."""
    published = () if known.split_file is None else (folder / known.split_file,)
    return first_there((*published, *_own_splits(known, folder, cache)))


def _own_splits(known: PublicSet, folder: Path, cache: Path | None) -> tuple[Path, ...]:
    return split_places(folder / f"split_bmip_{known.name}.json", folder, cache, f"-{known.name}")


def missing(images: Path, paths: list[str], faults: list[str] | None = None) -> list[str]:
    """The paths that do not exist below `images`, sorted. Each folder is listed once: ImageNet has a million files.

    Folders that cannot be read are reported as `list_files` does it.
    """
    by_folder: dict[str, set[str]] = {}
    for path in paths:
        place = PurePosixPath(path)
        by_folder.setdefault(str(place.parent), set()).add(place.name)
    gone: list[str] = []
    for place, names in by_folder.items():
        try:
            with os.scandir(images / place) as entries:
                there = {entry.name for entry in entries}
        except (FileNotFoundError, NotADirectoryError):
            there = set()
        except OSError as error:
            report_closed([error], faults)
            continue
        gone += [str(PurePosixPath(place) / name) for name in names - there]
    return sorted(gone)
