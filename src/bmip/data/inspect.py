"""Checks a whole data set on disk and reports all its faults at once. Nothing is written."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from bmip.data.checks import class_faults, leak_faults, same_content, unreadable
from bmip.data.dataset import DataError, Dataset, shot_files
from bmip.data.images import image_files
from bmip.data.load import better_names, find_own, load_dataset, name_of
from bmip.data.names import HUB_PREFIX, dataset_names
from bmip.data.public.load import missing, places, public_dataset, read_lists, written_split
from bmip.data.public.registry import PUBLIC, PublicSet
from bmip.data.read_config import ReadConfig, with_usable_cache
from bmip.data.sampling import sample_few_shot
from bmip.data.shots import read_shots
from bmip.data.sources.assembly import Names, Source, assembled, drawn, is_whole, missing_drawn, without
from bmip.data.sources.listing import Listing, list_files
from bmip.data.sources.split_file import PARTS, inspect_split
from bmip.system.messages import counted, first_few


@dataclass(frozen=True)
class Findings:
    """The result of an inspection."""

    dataset: Dataset | None = None
    """The data set with every listed file, whether it can be read or not; None if no list could be read."""

    faults: list[str] = field(default_factory=list)
    """One message for each file or list that must be mended."""

    remarks: list[str] = field(default_factory=list)
    """Sentences about things that are no fault, such as images that no split names."""


def inspect(name: str | Path, read: ReadConfig = ReadConfig()) -> Findings:
    """Inspects a data set by its name or path, as `load_dataset` takes it.

    Raises DataError where there is nothing to inspect.
    """
    name, (read, _) = name_of(name), with_usable_cache(read)
    if name in PUBLIC:
        better_names(name, read)
        return inspect_public(name, read)
    if name not in dataset_names() and not name.startswith(HUB_PREFIX):
        return inspect_own(find_own(name, read), read, better_names(name, read))
    dataset = load_dataset(name, replace(read, skip_bad_images=True))
    return Findings(dataset, list(dataset.skipped), list(dataset.notes))


def counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """The number of images by split and class; classes of equal names get their label added."""
    seen = Counter(dataset.classes.names)
    names = [name if seen[name] == 1 else f"{name} ({label})" for label, name in enumerate(dataset.classes.names)]
    found = {}
    for part, split in dataset.splits().items():
        by_label = Counter(split.labels)
        found[part] = {name: by_label[label] for label, name in enumerate(names)}
    return found


def inspect_own(source: Source, read: ReadConfig = ReadConfig(), class_names: Names = None) -> Findings:
    """Reads every image of your own data, also those that the written split does not name."""
    folder, parts, listed = source.folder, source.listing.parts, source.listing.paths()
    bad = unreadable(folder, [*listed, *source.unused], read.cache_folder)
    kept = without(parts, bad)
    same = same_content(folder, [path for path in listed if path not in bad])
    faults = [*source.listing.faults, *bad.values()]
    faults += class_faults(folder, source.listing.names, kept) + leak_faults(folder, kept, same)
    try:
        whole, notes = drawn(folder, kept, same, read.split_seed)
        dataset = assembled(source, whole, notes, read, class_names)
    except ValueError as error:
        return Findings(None, [*faults, str(error)], list(source.listing.notes))
    remarks = list(dataset.notes)
    if not is_whole(parts):
        remarks.append(
            f"no split is written down; the first run draws this one and keeps it in {source.split_files[0]}"
        )
    return Findings(dataset, faults, remarks)


def inspect_public(name: str, read: ReadConfig, *, decode: bool = True) -> Findings:
    """Reads every list and, with `decode`, every image of a public data set.

    Raises DataError if its folders do not exist.
    """
    known = PUBLIC[name]
    folder, images = places(known, read.root)
    listing, remarks = _listed(known, folder, images, read)
    faults = list(listing.faults)
    on_disk = image_files(list_files(images, faults=faults))
    listed = listing.paths() or on_disk
    gone = missing(images, listed, faults)
    faults += [f"{images / path} does not exist, and the split names it" for path in gone]
    bad = unreadable(images, sorted(set(listed).difference(gone)), read.cache_folder) if decode else {}
    faults += bad.values()
    if not listing.parts:
        return Findings(None, list(dict.fromkeys(faults)), remarks)
    unused = sorted(set(on_disk).difference(listed))
    if unused:
        remarks.append(f"the split leaves out {counted(len(unused), 'image')} below {images} ({first_few(unused)})")
    try:
        dataset = public_dataset(known, folder, listing)
    except DataError as error:
        return Findings(None, [*faults, str(error)], remarks)
    faults += _differences(known, dataset)
    if decode:
        remarks += _copies(images, listing, {*gone, *bad})
    for file in shot_files(dataset):
        try:
            if not _is_own_draw(dataset, file):
                remarks.append(f"{file} holds another draw than this split gives; it is the one that is used")
        except DataError as error:
            faults.append(str(error))
    return Findings(dataset, list(dict.fromkeys(faults)), remarks)


def _is_own_draw(dataset: Dataset, file: Path) -> bool:
    shots, seed = map(int, re.findall(r"\d+", file.stem))
    own = sample_few_shot(replace(dataset, stored_shots=None), shots, seed)
    first, second = (each.train.images for each in (own, read_shots(dataset, file)))
    return [first.name(index) for index in range(len(first))] == [second.name(index) for index in range(len(second))]


def _listed(known: PublicSet, folder: Path, images: Path, read: ReadConfig) -> tuple[Listing, list[str]]:
    """The items of the written split or else of the archive's own lists, and remarks. Without parts if it has none."""
    file, remarks = written_split(known, folder, read.cache_folder), []
    if known.split_file is not None and (file is None or file.name != known.split_file):
        own = "a new one will be drawn" if file is None else f"{file} is used"
        remarks.append(f"{folder / known.split_file} is not there; {own}, which is not the published split")
    try:
        if file is not None:
            return inspect_split(file), remarks
        listing = read_lists(known, folder, images)
        if known.split_file is not None:
            listing = replace(listing, parts=missing_drawn(listing.parts, read.split_seed))
        return listing, remarks
    except DataError as error:
        return Listing((), {}, faults=(str(error),)), remarks


def _differences(known: PublicSet, dataset: Dataset) -> list[str]:
    """Messages about numbers that differ from the published ones, and about classes without images."""
    found = [("classes", len(dataset.classes), known.classes)]
    splits = dataset.splits()
    if known.counts is not None:
        own = [0 if dataset.val_is_test and part == "val" else len(splits.get(part, ())) for part in PARTS]
        found += [(f"{part} images", *pair) for part, *pair in zip(PARTS, own, known.counts, strict=True)]
    differences = [
        f"{known.name} has {count} {what}, and {published} are published"
        for what, count, published in found
        if count != published
    ]
    for part in ("train", "test"):
        there = set(splits[part].labels)
        empty = [repr(name) for label, name in enumerate(dataset.classes.names) if label not in there]
        if empty and there:
            differences.append(f"{known.name} has no {part} images of {first_few(empty)}")
    return differences


def _copies(images: Path, listing: Listing, gone: set[str]) -> list[str]:
    """A remark on files that lie in two splits: some published data sets have such copies."""
    part_of = {item.path: part for part, items in listing.parts.items() for item in items if item.path not in gone}
    groups = [group for group in same_content(images, part_of) if len({part_of[path] for path in group}) > 1]
    shown = first_few(" = ".join(group) for group in groups)
    return (
        [f"two parts of the split share {counted(len(groups), 'image')} under other names ({shown})"] if groups else []
    )
