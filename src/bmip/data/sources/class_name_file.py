"""Reads better class names from a file."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from bmip.data.names import DataError


def read_class_names(file: Path) -> Mapping[str, str] | Sequence[str]:
    """Reads a JSON object from old to new names, a JSON list in the order of the labels, or lines of text.

    Raises DataError for a file that cannot be read or holds something else.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() != ".json":
            return [line.strip() for line in text.splitlines() if line.strip()]
        names = json.loads(text)
    except FileNotFoundError:
        raise DataError(f"the file of class names {file} does not exist") from None
    except UnicodeDecodeError as error:
        raise DataError(f"the file of class names {file} is no UTF-8 ({error}): save it as UTF-8") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"the file of class names {file} cannot be read ({error})") from error
    entries = [*names, *names.values()] if isinstance(names, dict) else names
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise DataError(f"{file} is neither an object from old to new class names nor a list of names: write one")
    return names
