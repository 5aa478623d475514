"""A data set from a folder of images, with its split written down and its files checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.cache import cache_folder
from bmip.clip.texts import ClassNames, words
from bmip.data.checking import cache_key, same_content, unreadable
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.listing import Listing, list_files, list_folder
from bmip.data.reading import FileImages, image_files
from bmip.data.splitfile import Item, Parts, draw_parts, draw_val, names_of, read_parts, write_parts

SPLIT_FILE = "split.json"
NAMED = 5  # how many files an error names

Items = tuple[Item, ...]


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
    beside, aside = folder / SPLIT_FILE, (cache or cache_folder()) / "splits" / f"{cache_key(folder)}.json"
    written = next((file for file in (beside, aside) if file.exists()), None)
    listing = _from_file(folder, written) if written else list_folder(folder)
    readable, notes = _readable(folder, listing, skip_bad_images, cache)
    _check_classes(folder, listing.names, readable)
    same = same_content(folder, [item.path for items in readable.values() for item in items])
    _check_leaks(folder, readable, same)
    if {"train", "val", "test"} <= set(readable):
        parts = Parts(readable["train"], readable["val"], readable["test"])
    else:
        parts, left_out = _draw(folder, readable, same, seed)
        notes += left_out
        notes += _write(parts, beside, aside)
    return _dataset(folder, parts, listing, ClassNames(_renamed(listing.names, class_names), template), notes)


def _dataset(folder: Path, parts: Parts, listing: Listing, classes: ClassNames, notes: list[str]) -> Dataset:
    train, val, test = (
        Split(FileImages(folder, tuple(item.path for item in items)), tuple(item.label for item in items))
        for items in (parts.train, parts.val, parts.test)
    )
    untested = [name for label, name in enumerate(classes.names) if label not in set(test.labels)]
    if untested:
        notes = [*notes, f"{folder} has no test images of {', '.join(map(repr, untested[:NAMED]))}"]
    return Dataset(
        folder.resolve().name, classes, train, val if len(val) else None, test, notes=(*listing.notes, *notes)
    )


def _from_file(folder: Path, file: Path) -> Listing:
    parts = read_parts(file)
    there = set(image_files(list_files(folder)))
    listed = {item.path for items in parts.by_name().values() for item in items}
    gone = sorted(path for path in listed - there if not (folder / path).is_file())
    if gone:
        raise DataError(
            f"{file} names {len(gone)} files that are not in {folder} ({_some(gone)}): "
            f"restore them, or delete {file.name} to have a new split drawn"
        )
    unused = sorted(there - listed)
    note = (
        f"{len(unused)} images in {folder} are not in {file} and stay unused ({_some(unused)}); delete it to draw again"
    )
    return Listing(names_of(parts.train, file), parts.by_name(), (note,) if unused else ())


def _readable(
    folder: Path, listing: Listing, skip_bad_images: bool, cache: Path | None
) -> tuple[dict[str, Items], list[str]]:
    bad = unreadable(folder, [item.path for items in listing.parts.values() for item in items], cache)
    if bad and not skip_bad_images:
        more = f"; {len(bad)} files in all" if len(bad) > 1 else ""
        raise DataError(
            f"{'; '.join(list(bad.values())[:NAMED])}{more}: replace or remove what is bad, "
            "or go on without it (--skip-bad-images)"
        )
    kept = {part: tuple(item for item in items if item.path not in bad) for part, items in listing.parts.items()}
    return kept, [f"skipped: {reason}" for reason in bad.values()]


def _check_classes(folder: Path, names: tuple[str, ...], parts: dict[str, Items]) -> None:
    if len(names) < 2:
        raise DataError(f"{folder} has {len(names)} class; at least two are needed")
    part = "train" if "train" in parts else "all"
    there = {item.label for item in parts[part]}
    empty = [name for label, name in enumerate(names) if label not in there]
    if empty:
        place = folder / part if part == "train" else folder
        raise DataError(
            f"{place} has no readable images of {', '.join(map(repr, empty[:NAMED]))}: "
            "add some, or remove the class's folder"
        )
    if "test" in parts and not parts["test"]:
        raise DataError(
            f"{folder} has no readable test images: add some, or remove test/ and split.json to draw a split"
        )


def _check_leaks(folder: Path, parts: dict[str, Items], same: list[list[str]]) -> None:
    part_of = {item.path: part for part, items in parts.items() for item in items}
    for group in same:
        first = group[0]
        for other in group[1:]:
            if part_of[other] != part_of[first]:
                raise DataError(
                    f"{folder}: {first} ({part_of[first]}) and {other} ({part_of[other]}) are the same file; "
                    "what is learned from must not be judged: remove one of them"
                )


def _draw(folder: Path, parts: dict[str, Items], same: list[list[str]], seed: int) -> tuple[Parts, list[str]]:
    """Draws what is missing, each picture once: its copies could end up on both sides."""
    label_of = {item.path: item.label for items in parts.values() for item in items}
    for group in same:
        if len({label_of[path] for path in group}) > 1:
            raise DataError(f"{folder}: {_some(group)} are the same file in different classes: remove the wrong ones")
    copies = {path for group in same for path in group[1:]}
    unique = {part: tuple(item for item in items if item.path not in copies) for part, items in parts.items()}
    note = (
        f"{len(copies)} files in {folder} are copies of others and were left out of the split ({_some(sorted(copies))})"
    )
    drawn = draw_parts(unique["all"], seed) if "all" in unique else draw_val(unique["train"], unique["test"], seed)
    return drawn, [note] if copies else []


def _write(parts: Parts, beside: Path, aside: Path) -> list[str]:
    try:
        write_parts(parts, beside)
    except OSError:
        write_parts(parts, aside)
        return [f"nothing can be written to {beside.parent}; its split is kept in {aside}"]
    return []


def _renamed(names: tuple[str, ...], better: Mapping[str, str] | Sequence[str] | None) -> tuple[str, ...]:
    if better is None:
        return names
    if isinstance(better, Mapping):
        said = {words(old): new for old, new in better.items()}
        unknown = sorted(set(said).difference(names))
        if unknown:
            raise DataError(f"class_names renames {_some(unknown)}; the classes are {_some(names)}: give their names")
        return tuple(said.get(name, name) for name in names)
    if len(better) != len(names):
        raise DataError(f"{len(better)} class names came for {len(names)} classes ({_some(names)}): give one for each")
    return tuple(better)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")
