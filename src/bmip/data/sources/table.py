"""Reads a table of image paths and labels: CSV with a header, or JSON lines."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from bmip.class_names import words
from bmip.data.dataset import DataError
from bmip.data.sources.assembly import Source, first_there, is_whole, split_places
from bmip.data.sources.listing import VAL_NAMES, Listing, is_text
from bmip.data.sources.split_file import Item, read_parts
from bmip.system.messages import first_few

SUFFIXES = (".csv", ".jsonl")
PART_OF = {"train": "train", "test": "test", **dict.fromkeys(VAL_NAMES, "val")}


def find_table(file: Path, cache: Path) -> Source:
    """Finds the images that a table lists with `path` (below the table's folder), `label` and optionally `split`.

    Classes are sorted by label, as numbers if all labels are numbers. A drawn split is written beside the table, to
    `NAME.split.json`. Raises DataError for a table that cannot be read, and for a written split of another table.
    """
    if not file.is_file():
        raise DataError(f"the table {file} does not exist: give a .csv or .jsonl file with path and label")
    listing = list_table(file)
    splits = split_places(file.with_suffix(".split.json"), file, cache)
    written = first_there(splits)
    if written is None or is_whole(listing.parts):
        return Source(file.stem, file.parent, listing, splits)
    kept, unused = _as_written(listing, written, file)
    return Source(file.stem, file.parent, kept, splits, written, unused=unused)


def list_table(file: Path) -> Listing:
    """The class names and the items of each part ("all" if the table has no split). Raises DataError for a bad row."""
    rows = list(_rows(file))
    if not rows:
        raise DataError(f"{file} lists no images: give each a row with path and label")
    labels = {words(row["label"]) for _, row in rows}
    by_number = all(label.isdecimal() for label in labels)
    positions = {label: place for place, label in enumerate(sorted(labels, key=int if by_number else str))}
    parts: dict[str, list[Item]] = {}
    seen: dict[str, str] = {}
    for where, row in rows:
        path = _inside(row["path"], file, where)
        if path in seen:
            raise DataError(f"{where} lists {path} again, after {seen[path]}: keep one of them")
        seen[path] = where
        part = row.get("split", "").lower()
        if part and part not in PART_OF:
            raise DataError(f"{where}: the split {row['split']!r} is not one of {', '.join(PART_OF)}")
        item = Item(path, positions[words(row["label"])], words(row["label"]))
        parts.setdefault(PART_OF.get(part, "all"), []).append(item)
    if len(parts) > 1 and "all" in parts:
        raise DataError(f"{file} gives a split to some images and none to {parts['all'][0].path}: give it to all")
    if "all" not in parts and not {"train", "test"} <= set(parts):
        raise DataError(f"{file} has the splits {', '.join(parts)}; train and test are needed, or no split at all")
    return Listing(tuple(positions), {part: tuple(items) for part, items in parts.items()})


def _rows(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The place of each row in words, and its values."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            if file.suffix.lower() == ".csv":
                found = csv.DictReader(stream)
                for row in found:
                    yield _row(row, f"{file}, line {found.line_num}")
            else:
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        yield _row(_object(line, f"{file}, line {number}"), f"{file}, line {number}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file} cannot be read as {file.suffix[1:]} ({error})") from error


def _object(line: str, where: str) -> object:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where} is no JSON ({error.msg} at character {error.pos + 1})") from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{where} cannot be read ({error}): give an object with path and label") from None


def _row(row: object, where: str) -> tuple[str, dict[str, str]]:
    if not isinstance(row, dict):
        raise DataError(f"{where} is no object with path and label")
    said = {str(key).strip(): str(value).strip() for key, value in row.items() if value is not None}
    known = {key: row.get(key) for key in ("path", "label", "split")}
    odd = [key for key, value in known.items() if isinstance(value, bool) or not isinstance(value, str | int | None)]
    if odd:
        raise DataError(f"{where}: its {odd[0]} is {row[odd[0]]!r}: give a word or a whole number")
    for key, value in said.items():
        if not is_text(value):
            raise DataError(f"{where}: its {key} {value!a} holds what is no letter: write the table again")
    lacking = [key for key in ("path", "label") if not said.get(key)]
    if lacking:
        columns = ", ".join(map(str, row)) or "nothing"
        raise DataError(f"{where} has no {' and no '.join(lacking)}; it has {columns}: name the columns path and label")
    return where, said


def _inside(path: str, file: Path, where: str) -> str:
    """The path relative to the table's folder, so that results do not depend on the folder's place."""
    place = Path(path)
    if place.is_absolute():
        folder = file.parent.resolve()
        if not place.is_relative_to(folder):
            raise DataError(f"{where}: {path} is not below {folder}: put the table into a folder above the images")
        place = place.relative_to(folder)
    if ".." in place.parts:
        raise DataError(f"{where}: {path} leads out of {file.parent}: put the table into a folder above the images")
    return str(PurePosixPath(*place.parts))


def _as_written(listing: Listing, written: Path, file: Path) -> tuple[Listing, tuple[str, ...]]:
    """The listing with the written split, and the images that it does not name. Raises DataError if they differ."""
    parts = read_parts(written).by_name()
    known = {item: part for part, items in listing.parts.items() for item in items}
    listed = {item for items in parts.values() for item in items}
    strange = [
        item.path
        for part, items in parts.items()
        for item in items
        if item not in known or known[item] not in ("all", part, *(("train",) if part == "val" else ()))
    ]
    if strange:
        raise DataError(
            f"{written} was drawn for another state of {file.name} ({first_few(strange)} are not as in there): "
            "delete it to have a new split drawn"
        )
    unused = tuple(item.path for item in known if item not in listed)
    shown = first_few(unused)
    note = f"{len(unused)} images of {file} are not in {written} and stay unused ({shown}); delete it to draw again"
    return Listing(listing.names, parts, (note,) if unused else ()), unused
