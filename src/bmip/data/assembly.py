"""From a listing to a data set: files checked, what is missing in the split drawn and written down."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bmip.cache import cache_folder
from bmip.clip.texts import ClassNames, words
from bmip.data.checking import cache_key, same_content, unreadable
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.listing import Listing
from bmip.data.reading import FileImages
from bmip.data.splitfile import Item, Parts, draw_parts, draw_val, write_parts

NAMED = 5  # how many files an error names

Items = tuple[Item, ...]


def some(names: Sequence[str]) -> str:
    """The first few of them, for a message."""
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def completed(
    name: str,
    folder: Path,
    listing: Listing,
    split_files: tuple[Path, Path],
    *,
    seed: int,
    template: str,
    class_names: Mapping[str, str] | Sequence[str] | None,
    skip_bad_images: bool,
    cache: Path | None,
) -> Dataset:
    """What is listed, every file read; what the listing leaves open of the split is drawn and written down.

    `split_files`: beside the images, and where nothing can be written there.
    """
    kept, notes = readable(folder, listing.parts, skip_bad_images, cache)
    check_classes(folder, listing.names, kept)
    same = same_content(folder, [item.path for items in kept.values() for item in items])
    check_leaks(folder, kept, same)
    if {"train", "val", "test"} <= set(kept):
        parts = Parts(kept["train"], kept["val"], kept["test"])
    else:
        parts, left_out = draw(folder, kept, same, seed)
        notes += left_out + keep_split(parts, *split_files)[1]
    classes = ClassNames(renamed(listing.names, class_names), template)
    tested = {item.label for item in parts.test}
    untested = [word for label, word in enumerate(classes.names) if label not in tested]
    if untested:
        notes.append(f"{folder} has no test images of {some(list(map(repr, untested)))}")
    train, val, test = (files(folder, items) for items in (parts.train, parts.val, parts.test))
    return Dataset(name, classes, train, val if len(val) else None, test, notes=(*listing.notes, *notes))


def readable(
    folder: Path, parts: Mapping[str, Items], skip_bad_images: bool, cache: Path | None
) -> tuple[dict[str, Items], list[str]]:
    """The parts without what cannot be read, and a note on each such file; without leave to skip, a DataError."""
    bad = unreadable(folder, [item.path for items in parts.values() for item in items], cache)
    if bad and not skip_bad_images:
        more = f"; {len(bad)} files in all" if len(bad) > 1 else ""
        raise DataError(
            f"{'; '.join(list(bad.values())[:NAMED])}{more}: replace or remove what is bad, "
            "or go on without it (--skip-bad-images)"
        )
    kept = {part: tuple(item for item in items if item.path not in bad) for part, items in parts.items()}
    return kept, [f"skipped: {reason}" for reason in bad.values()]


def check_classes(folder: Path, names: tuple[str, ...], parts: Mapping[str, Items]) -> None:
    if len(names) < 2:
        raise DataError(f"{folder} has {len(names)} class; at least two are needed")
    part = "train" if "train" in parts else "all"
    there = {item.label for item in parts[part]}
    empty = [name for label, name in enumerate(names) if label not in there]
    if empty:
        place = folder / part if part == "train" else folder
        raise DataError(
            f"{place} has no readable images of {some(list(map(repr, empty)))}: add some, or remove the class's folder"
        )
    if "test" in parts and not parts["test"]:
        raise DataError(
            f"{folder} has no readable test images: add some, or remove test/ and split.json to draw a split"
        )


def check_leaks(folder: Path, parts: Mapping[str, Items], same: list[list[str]]) -> None:
    """`same` are groups of files of the same content."""
    part_of = {item.path: part for part, items in parts.items() for item in items}
    for group in same:
        first = group[0]
        for other in group[1:]:
            if part_of[other] != part_of[first]:
                raise DataError(
                    f"{folder}: {first} ({part_of[first]}) and {other} ({part_of[other]}) are the same file; "
                    "what is learned from must not be judged: remove one of them"
                )


def draw(folder: Path, parts: Mapping[str, Items], same: list[list[str]], seed: int) -> tuple[Parts, list[str]]:
    """Draws what is missing, each picture once: its copies could end up on both sides."""
    label_of = {item.path: item.label for items in parts.values() for item in items}
    for group in same:
        if len({label_of[path] for path in group}) > 1:
            raise DataError(f"{folder}: {some(group)} are the same file in different classes: remove the wrong ones")
    copies = {path for group in same for path in group[1:]}
    unique = {part: tuple(item for item in items if item.path not in copies) for part, items in parts.items()}
    note = (
        f"{len(copies)} files in {folder} are copies of others and were left out of the split ({some(sorted(copies))})"
    )
    return missing_drawn(unique, seed), [note] if copies else []


def missing_drawn(parts: Mapping[str, Items], seed: int) -> Parts:
    """A split of "all", or of train and test with a validation part taken from train; a whole one as it is."""
    if "all" in parts:
        return draw_parts(parts["all"], seed)
    if "val" not in parts:
        return draw_val(parts["train"], parts["test"], seed)
    return Parts(parts["train"], parts["val"], parts["test"])


def split_places(beside: Path, source: Path, cache: Path | None, suffix: str = "") -> tuple[Path, Path]:
    """Where the split of `source` is kept: beside the images, and where nothing can be written there."""
    return beside, (cache or cache_folder()) / "splits" / f"{cache_key(source)}{suffix}.json"


def first_there(files: Iterable[Path]) -> Path | None:
    return next((file for file in files if file.exists()), None)


def keep_split(parts: Parts, beside: Path, aside: Path, note: str = "") -> tuple[Path, list[str]]:
    """Writes the split beside the images, or into the cache where nothing can be written there: where, and notes."""
    try:
        write_parts(parts, beside, note)
    except OSError:
        write_parts(parts, aside, note)
        return aside, [f"nothing can be written to {beside.parent}; its split is kept in {aside}"]
    return beside, []


def files(folder: Path, items: Sequence[Item]) -> Split:
    return Split(FileImages(folder, tuple(item.path for item in items)), tuple(item.label for item in items))


def renamed(names: tuple[str, ...], better: Mapping[str, str] | Sequence[str] | None) -> tuple[str, ...]:
    """The classes in better words: a mapping from their names, or all of them in the order of the labels."""
    if better is None:
        return names
    if isinstance(better, Mapping):
        said = {words(old): new for old, new in better.items()}
        unknown = sorted(set(said).difference(map(words, names)))
        if unknown:
            raise DataError(f"class_names renames {some(unknown)}; the classes are {some(names)}: give their names")
        return tuple(said.get(words(name), name) for name in names)
    if len(better) != len(names):
        raise DataError(f"{len(better)} class names came for {len(names)} classes ({some(names)}): give one for each")
    return tuple(better)
