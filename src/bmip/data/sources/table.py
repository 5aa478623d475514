"""Reads a table of image paths and labels: CSV or TSV with a header, JSON, or JSON lines."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from bmip.class_names import words
from bmip.data.dataset import DataError
from bmip.data.read_config import ReadConfig, how_to_set
from bmip.data.sources.assembly import Source, first_there, is_whole, split_places, unused_note
from bmip.data.sources.listing import VAL_NAMES, Item, Listing, is_text
from bmip.data.sources.split_file import read_split
from bmip.system.messages import first_few

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json")
LONGEST_NUMBER = 100  # digits; Python reads no numbers of some thousand
PART_OF = {"train": "train", "test": "test", **dict.fromkeys(VAL_NAMES, "val")}


def find_table(file: Path, read: ReadConfig) -> Source:
    """Finds the images that a table lists with `path` (below the table's folder), `label` and optionally `split`.

    Columns of .csv and .tsv are separated by commas, semicolons or tabs, whatever the header has most. Text that is not
    Unicode is read as Windows-1252, which a note says. `read.label_column` names another column for the labels.
    Classes are sorted by label, as numbers if all labels are numbers. A drawn split is written beside the table, to
    `NAME.split.json`, or `NAME.COLUMN.split.json` where a column of labels was chosen. Raises DataError for a table
    that cannot be read, and for a written split of another table.
    """
    listing = list_table(file, read.label_column or "label")
    column = re.sub(r"\W", "-", read.label_column)
    suffix = f".{column}" if column else ""  # another column means other classes, and another draw
    beside = file.with_name(f"{file.stem}{suffix}.split.json")
    splits = split_places(beside, file, read.cache_folder, suffix)
    written = first_there(splits)
    if written is None or is_whole(listing.parts):
        return Source(file.stem, file.parent, listing, splits)
    kept, unused = _as_written(listing, written, file)
    return Source(file.stem, file.parent, kept, splits, written, unused)


def list_table(file: Path, label_column: str = "label") -> Listing:
    """The class names and the items of each part ("all" if the table has no split). Raises DataError for a bad row."""
    text, notes = _text(file)
    rows = [(where, _row(row, where, label_column)) for where, row in _rows(file, text)]
    if not rows:
        raise DataError(f"{file} lists no images: give each a row with path and label")
    labels = {words(row["label"]) for _, row in rows}
    by_number = all(label.isdecimal() and len(label) < LONGEST_NUMBER for label in labels)
    in_order = sorted(sorted(labels), key=int) if by_number else sorted(labels)
    positions = {label: place for place, label in enumerate(in_order)}
    parts: dict[str, list[Item]] = {}
    seen: dict[str, str] = {}
    for where, row in rows:
        path = _inside(row["path"], file, where)
        if path in seen:
            raise DataError(f"{where} lists {path} again, after {seen[path]}: keep one of them")
        seen[path] = where
        part = row["split"].lower()
        if part and part not in PART_OF:
            raise DataError(f"{where}: the split {row['split']!r} is not one of {', '.join(PART_OF)}")
        item = Item(path, positions[words(row["label"])], words(row["label"]))
        parts.setdefault(PART_OF.get(part, "all"), []).append(item)
    if len(parts) > 1 and "all" in parts:
        raise DataError(f"{file} gives a split to some images and none to {parts['all'][0].path}: give it to all")
    if "all" not in parts and not {"train", "test"} <= set(parts):
        raise DataError(f"{file} has the splits {', '.join(parts)}; train and test are needed, or no split at all")
    return Listing(tuple(positions), {part: tuple(items) for part, items in parts.items()}, notes)


def _rows(file: Path, text: str) -> Iterator[tuple[str, object]]:
    """The place of each row in words, and the row."""
    kind = file.suffix.lower()
    if kind == ".json":
        listed = _parsed(text, str(file))
        if not isinstance(listed, list):
            raise DataError(f"{file} holds no list: give a list of objects with path and label")
        yield from ((f"{file}, entry {number}", row) for number, row in enumerate(listed, start=1))
    elif kind == ".jsonl":
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield f"{file}, line {number}", _parsed(line, f"{file}, line {number}")
    else:
        skipped = len(text) - len(text.lstrip("\r\n"))  # empty lines before the header
        told = re.match(r"sep=(.)\r?\n", text[skipped:], re.IGNORECASE)  # Excel's own line before it
        content = text[skipped + (told.end() if told else 0) :]
        header = content.partition("\n")[0]
        separator = told[1] if told else max(",;\t", key=header.count)
        found = csv.DictReader(io.StringIO(content, newline=""), delimiter=separator)
        before = text[: len(text) - len(content)].count("\n")
        try:
            for row in found:
                yield f"{file}, line {before + found.line_num}", row
        except csv.Error as error:
            raise DataError(f"{file}, line {before + found.line_num} cannot be read ({error})") from error


def _text(file: Path) -> tuple[str, tuple[str, ...]]:
    """The text of a file, and a note if it is not Unicode."""
    try:
        content = file.read_bytes()
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return content.decode("utf-16"), ()
        with suppress(UnicodeDecodeError):
            return content.decode("utf-8-sig"), ()
        text = content.decode("cp1252")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as text ({error}): save it as UTF-8") from error
    odd = next(word for word in re.split(r"[ \t\r\n,;/]+", text) if not word.isascii())
    return text, (
        f"{file} is not UTF-8; it was read as Windows-1252 (Latin-1), as in {odd!r}: save it as UTF-8 if not",
    )


def _parsed(text: str, where: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where} is no JSON ({error.msg} at character {error.pos + 1})") from None
    except (RecursionError, ValueError) as error:
        raise DataError(f"{where} cannot be read ({error}): give an object with path and label") from None


def _row(row: object, where: str, column: str) -> dict[str, str]:
    """The path, label and perhaps split of a row; the label is in the column of that name."""
    if not isinstance(row, dict):
        raise DataError(f"{where} is no object with path and label")
    if None in row:
        raise DataError(f"{where} has more values than there are columns: put text with a separator in quotes")
    exact = {str(key).strip(): value for key, value in row.items()}
    given = {**{key.lower(): value for key, value in exact.items()}, **exact}
    texts = {}
    for key, name in (("path", "path"), ("label", column), ("split", "split")):
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise DataError(f"{where}: its {name} is {value!r}: give a word or a whole number")
        texts[key] = "" if value is None else str(value).strip()
        if not is_text(texts[key]):
            raise DataError(f"{where}: its {name} {texts[key]!a} holds a broken character: write the table again")
    lacking = [name for key, name in (("path", "path"), ("label", column)) if not texts[key]]
    if lacking and set(lacking) <= set(given):
        raise DataError(f"{where}: its {' and its '.join(lacking)} is empty: fill it in, or take the line out")
    if lacking:
        columns = ", ".join(exact) or "nothing"
        raise DataError(
            f"{where} has no {' and no '.join(lacking)}; it has {columns}: name the columns path and label, or choose "
            f"the column of labels ({how_to_set('label_column', 'NAME')})"
        )
    return texts


def _inside(path: str, file: Path, where: str) -> str:
    """The path relative to the table's folder, so that results do not depend on the folder's place."""
    place = Path(path)
    if "\\" in path and not (file.parent / place).exists():
        place = Path(path.replace("\\", "/"))  # written on Windows
    if place.is_absolute():
        folders = [file.parent.absolute(), file.parent.resolve()]
        above = next((folder for folder in folders if place.is_relative_to(folder)), None)
        if above is None:
            raise DataError(f"{where}: {path} is not below {folders[0]}: put the table into a folder above the images")
        place = place.relative_to(above)
    if ".." in place.parts:
        raise DataError(f"{where}: {path} leads out of {file.parent}: put the table into a folder above the images")
    return str(PurePosixPath(*place.parts))


def _as_written(listing: Listing, written: Path, file: Path) -> tuple[Listing, tuple[str, ...]]:
    """The listing with the written split, and the images that it does not name. Raises DataError if they differ."""
    parts = read_split(written).parts
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
    return Listing(listing.names, parts, (*listing.notes, *unused_note(unused, file, written))), unused
