"""Atomic writing of files, and the cache folder."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PARTIAL = ".part"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Gives an OSError of the lines within the name of the file: a full disk does not say which file it was."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)
        raise


def write_bytes(path: Path, content: bytes) -> None:
    """Writes the file atomically: after a crash it has the old content or the new. Its folder must exist.

    A file that is there keeps its permissions, and a link stays a link; a new file has those that the umask gives.
    """
    with writing(path):
        path = path.resolve()
        partial = path.with_name(f".{path.name}-{secrets.token_hex(6)}{_PARTIAL}")
        try:
            with partial.open("xb") as stream:
                if path.exists():
                    shutil.copymode(path, partial)
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def write_text(path: Path, text: str) -> None:
    """Writes text as UTF-8, atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Writes a value as indented JSON, atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sweep(folder: Path) -> None:
    """Removes temporary files of processes that were killed. No process may be writing to the folder."""
    for partial in folder.glob(f".*{_PARTIAL}"):
        partial.unlink(missing_ok=True)


def free_space(folder: Path) -> int:
    """Free bytes of the disk on which the folder lies."""
    return shutil.disk_usage(folder).free


def cache_folder() -> Path:
    """The folder for files that can be made again: $BMIP_CACHE, else bmip/ in the user's cache folder."""
    if chosen := os.environ.get("BMIP_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bmip"
