"""Finds trouble before work is spent on it: files that cannot be read, and files that are the same."""

import hashlib
import json
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track

from bmip.cache import cache_folder
from bmip.data.loading import ahead
from bmip.data.reading import check_image

QUIET = 300  # files that are checked faster than a progress bar is read


def cache_key(folder: Path) -> str:
    """A file name that belongs to one folder of this machine."""
    return f"{folder.name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]}"


def unreadable(folder: Path, paths: Sequence[str], cache: Path | None = None) -> dict[str, str]:
    """Which of the files cannot be read, and why. Readable files are remembered until they change."""
    memory = (cache or cache_folder()) / "readable" / f"{cache_key(folder)}.json"
    known: dict[str, list[int]] = {}
    with suppress(OSError, ValueError):
        known = json.loads(memory.read_text())
    states = {path: _state(folder / path) for path in paths}
    new = [path for path in paths if states[path] is None or known.get(path) != states[path]]
    bad: dict[str, str] = {}
    for path, reason in zip(new, _checked(folder, new), strict=True):
        if reason is not None:
            bad[path] = reason
    if new:
        with suppress(OSError):  # it only saves time
            memory.parent.mkdir(parents=True, exist_ok=True)
            memory.write_text(json.dumps({path: state for path, state in states.items() if path not in bad}))
    return bad


def _state(file: Path) -> list[int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    if not os.access(file, os.R_OK):  # which a change of permissions does not show in either of these
        return None
    return [found.st_size, found.st_mtime_ns]


def _checked(folder: Path, paths: Sequence[str]) -> Iterator[str | None]:
    reasons = ahead(check_image, (folder / path for path in paths))
    console = Console(stderr=True)
    if len(paths) < QUIET or not console.is_terminal:
        return reasons
    return iter(track(reasons, f"Checking the images of {folder.name}", len(paths), console=console, transient=True))


def same_content(folder: Path, paths: Iterable[str]) -> list[list[str]]:
    """Groups of files that hold the same bytes. Only files of equal size are read; what cannot be has no equal."""
    by_size = _groups(paths, lambda path: (folder / path).stat().st_size)
    return [same for group in by_size for same in _groups(group, partial(_content, folder))]


def _content(folder: Path, path: str) -> bytes:
    return hashlib.sha256((folder / path).read_bytes()).digest()


def _groups(paths: Iterable[str], key: Callable[[str], Hashable]) -> list[list[str]]:
    groups: dict[Hashable, list[str]] = {}
    for path in paths:
        with suppress(OSError):
            groups.setdefault(key(path), []).append(path)
    return [group for group in groups.values() if len(group) > 1]
