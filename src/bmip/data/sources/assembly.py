"""Makes a data set from a listing: checks the files, draws the missing parts of the split and writes it down."""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bmip.class_names import ClassNames, words
from bmip.data.checks import cache_key, class_faults, leak_faults, refuse, same_content, unreadable
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.images import FileImages
from bmip.data.read_config import ReadConfig, how_to_set
from bmip.data.sources.listing import Item, Listing, Parts
from bmip.data.sources.split_file import PARTS, draw_parts, draw_val, write_parts
from bmip.system.messages import counted, first_few

Names = Mapping[str, str] | Sequence[str] | None
"""Better class names: a mapping from the old names to new ones, or all names in the order of the labels."""


@dataclass(frozen=True)
class Source:
    """Your own images as they were listed, before any file is opened."""

    name: str
    folder: Path
    listing: Listing
    split_files: tuple[Path, ...]
    """The files for a drawn split: beside the images, and in the cache, for a folder that is read-only."""

    written: Path | None = None
    """The file of the split that was found; None if there is none."""

    unused: tuple[str, ...] = ()
    """Images that this split does not name."""


def completed(source: Source, read: ReadConfig, class_names: Names = None) -> Dataset:
    """The data set of a source: every file is checked, and what is missing of the split is drawn and written down.

    Raises DataError for unreadable files (unless `read.skip_bad_images`), classes without images, and files that lie in
    two parts of the split.
    """
    refuse(source.listing.faults)
    folder, listing = source.folder, source.listing
    redraw = "" if source.written is None else f", delete {source.written.name} to have a new split drawn"
    kept, skipped = readable(folder, listing.parts, read, redraw)
    refuse(class_faults(folder, listing.names, kept))
    same = same_content(folder, [item.path for items in kept.values() for item in items])
    refuse(leak_faults(folder, kept, same))
    parts, left_out = drawn(folder, kept, same, read.split_seed)
    dataset = assembled(source, parts, left_out, read, class_names)
    if is_whole(kept):
        more = seed_notes(source, read.split_seed)
    else:
        more = keep_split(parts, source.split_files, write=partial(write_parts, seed=read.split_seed))[1]
    return replace(dataset, notes=(*dataset.notes, *more), skipped=tuple(skipped))


def assembled(
    source: Source, parts: Parts, notes: Sequence[str], read: ReadConfig, class_names: Names = None
) -> Dataset:
    """The data set with these parts, whether their files can be read or not; `notes` join those of the listing."""
    classes = ClassNames(renamed(source.listing.names, class_names), read.template or ClassNames.template)
    train, val, test = (files(source.folder, items) for items in (parts[part] for part in PARTS))
    notes = (
        *source.listing.notes,
        *notes,
        *untested(source.folder, classes.names, parts["test"]),
        *numbered(source.folder, classes.names),
    )
    return Dataset(source.name, classes, train, val if len(val) else None, test, notes=notes)


def seed_notes(source: Source, seed: int) -> list[str]:
    """A note where the split seed that is asked for has no effect, because the split is given or written down."""
    written, drew = source.written, source.listing.seed
    if written is not None and drew is not None and drew != seed:
        return [f"the split in {written} was drawn with the split seed {drew}, not {seed}: delete it to draw again"]
    if drew is None and seed != ReadConfig.split_seed:
        return [f"the split of {source.folder} is given, so the split seed {seed} has no effect"]
    return []


def untested(folder: Path, names: Sequence[str], test: Sequence[Item]) -> list[str]:
    """A note on classes without test images."""
    tested = {item.label for item in test}
    lacking = [repr(name) for label, name in enumerate(names) if label not in tested]
    return [f"{folder} has no test images of {first_few(lacking)}"] if lacking else []


def numbered(folder: Path, names: Sequence[str]) -> list[str]:
    """A note on class names that are all numbers."""
    if not all(name.replace(".", "").isdigit() for name in names):
        return []
    told = "CLIP reads the names of the classes, and numbers say nothing about an image"
    return [f"{folder}: {told}: give names in words ({how_to_set('class_names', 'FILE')})"]


def is_whole(parts: Parts) -> bool:
    """Whether all three parts of the split are given."""
    return {"train", "val", "test"} <= set(parts)


def readable(folder: Path, parts: Parts, read: ReadConfig, cure: str = "") -> tuple[Parts, list[str]]:
    """The parts without files that cannot be read, and the reason for each file that is left out.

    Raises DataError for such files unless `read.skip_bad_images`. `cure` is what else the user may do about them; it
    begins with a comma and joins the message.
    """
    bad = unreadable(folder, [item.path for items in parts.values() for item in items], read.cache_folder)
    if bad and not read.skip_bad_images:
        raise DataError(
            f"{first_few(bad.values(), separator='; ')}: replace, restore or remove what is bad{cure}, "
            f"or go on without it ({how_to_set('skip_bad_images')})"
        )
    return without(parts, bad), list(bad.values())


def without(parts: Parts, paths: Container[str]) -> Parts:
    """The parts without the items of these paths."""
    return {part: tuple(item for item in items if item.path not in paths) for part, items in parts.items()}


def drawn(folder: Path, parts: Parts, same: list[list[str]], seed: int) -> tuple[Parts, list[str]]:
    """The whole split, and notes. A complete split stays as it is; else the missing parts are drawn by `seed`.

    Copies of a file (all but the first of each group of `same`) are left out of a draw, because they could land in
    both training and test.
    """
    if is_whole(parts):
        return missing_drawn(parts, seed), []
    copies = {path for group in same for path in group[1:]}
    shown = first_few(sorted(copies))
    note = f"left out of the split of {folder}, because they are copies: {counted(len(copies), 'file')} ({shown})"
    return missing_drawn(without(parts, copies), seed), [note] if copies else []


def missing_drawn(parts: Parts, seed: int) -> Parts:
    """The split of "all", or of train and test with validation images drawn from train; a complete one as it is."""
    if "all" in parts:
        return draw_parts(parts["all"], seed)
    if "val" not in parts:
        return draw_val(parts["train"], parts["test"], seed)
    return parts


def split_places(beside: Path, source: Path, cache: Path | None, suffix: str = "") -> tuple[Path, ...]:
    """The places for the split of `source`: beside the images, and in the cache, for a folder that is read-only."""
    return (beside,) if cache is None else (beside, cache / "splits" / f"{cache_key(source)}{suffix}.json")


def first_there(files: Iterable[Path]) -> Path | None:
    """The first of the files that exists."""
    return next((file for file in files if file.exists()), None)


def unused_note(unused: Sequence[str], place: Path, written: Path, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """A note on images of `place` that the written split does not name, and on classes of which it names none."""
    images = f"{counted(len(unused), 'image')} of {place} ({first_few(unused)})"
    whole = f", and with them the class {first_few(map(repr, classes))}" if classes else ""
    return (f"{written} leaves out {images}{whole}; delete it to draw again",) if unused else ()


def keep_split(
    parts: Parts,
    places: Sequence[Path],
    note: str = "",
    *,
    write: Callable[[Parts, Path, str], None] = write_parts,
) -> tuple[Path | None, list[str]]:
    """Writes the split to the first place that can be written to. Returns it, or None, and notes."""
    for file in places:
        with suppress(OSError):
            write(parts, file, note)
            kept = f"nothing can be written to {places[0].parent}; its split is kept in {file}"
            return file, [] if file == places[0] else [kept]
    return None, [f"nothing can be written to {places[0].parent}; its split is drawn anew each time"]


def files(folder: Path, items: Sequence[Item]) -> Split:
    """The items as a split of image files below `folder`."""
    return Split(FileImages(folder, tuple(item.path for item in items)), tuple(item.label for item in items))


def renamed(names: tuple[str, ...], better: Names) -> tuple[str, ...]:
    """The class names, replaced by better ones where `better` gives some.

    Raises DataError if it renames a class that does not exist, or is a list of another length.
    """
    if better is None:
        return names
    if isinstance(better, Mapping):
        by_words = {words(old): new for old, new in better.items()}
        unknown = sorted(set(by_words).difference(map(words, names)))
        if unknown:
            raise DataError(
                f"class_names renames {first_few(unknown)}; the classes are {first_few(names)}: give their names"
            )
        return tuple(by_words.get(words(name), name) for name in names)
    if len(better) != len(names):
        raise DataError(
            f"{counted(len(better), 'class name')} came for {counted(len(names), 'class')} ({first_few(names)}): give "
            "one for each"
        )
    return tuple(better)
