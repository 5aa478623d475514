"""Checks of a data set before it is used: unreadable files, duplicate files, faults of a split."""

import hashlib
import json
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from bmip.data.batches import ahead
from bmip.data.dataset import DataError
from bmip.data.images import check_image
from bmip.data.sources.listing import Parts
from bmip.system.files import write_text
from bmip.system.messages import counted, first_few

QUIET = 300  # files that are checked faster than a progress bar is read


def cache_key(folder: Path) -> str:
    """A file name that stands for one folder on this machine."""
    return f"{folder.name}-{hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]}"


def unreadable(
    folder: Path,
    paths: Sequence[str],
    cache: Path | None,
    *,
    check: Callable[[Path], str | None] = check_image,
    console: Console | None = None,
) -> dict[str, str]:
    """The files below `folder` that `check` finds a fault in, with the reason. Progress is shown on `console`.

    Files without a fault are remembered in `cache`, if there is one, and not checked again until they change.
    """
    memory = None if cache is None else cache / "readable" / f"{cache_key(folder)}.json"
    known = {} if memory is None else _remembered(memory)
    states = {path: _state(folder / path) for path in paths}
    new = [path for path in paths if states[path] is None or known.get(path) != states[path]]
    bad: dict[str, str] = {}
    for path, reason in zip(new, _checked(folder, new, check, console), strict=True):
        if reason is not None:
            bad[path] = reason
    if new and memory is not None:
        with suppress(OSError):  # it only saves time
            memory.parent.mkdir(parents=True, exist_ok=True)
            good = {path: state for path, state in states.items() if path not in bad}
            write_text(memory, json.dumps({path: state for path, state in (known | good).items() if path not in bad}))
    return bad


def _remembered(memory: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        known = json.loads(memory.read_text(encoding="utf-8"))
        return known if isinstance(known, dict) else {}
    return {}


def _state(file: Path) -> list[int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    if not os.access(file, os.R_OK):  # which a change of permissions does not show in either of these
        return None
    return [found.st_size, found.st_mtime_ns]


def _checked(
    folder: Path, paths: Sequence[str], check: Callable[[Path], str | None], console: Console | None
) -> Iterator[str | None]:
    reasons = ahead(check, (folder / path for path in paths))
    console = console or Console(stderr=True)
    if len(paths) < QUIET or not console.is_terminal:
        return reasons
    return iter(track(reasons, f"Checking the images of {folder.name}", len(paths), console=console, transient=True))


def same_content(folder: Path, paths: Iterable[str]) -> list[list[str]]:
    """Groups of files with the same bytes. Only files of equal size are read; unreadable files are in no group."""
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


def refuse(faults: Sequence[str]) -> None:
    """Raises DataError with the first few faults, if there are any."""
    if faults:
        raise DataError(first_few(faults, separator="; "))


def class_faults(folder: Path, names: Sequence[str], parts: Parts) -> list[str]:
    """Messages about too few classes, and about classes without training images."""
    if len(names) < 2:
        return [f"{folder} has {counted(len(names), 'class')}; at least two are needed"]
    faults = []
    kind = "training " if "train" in parts else ""
    there = {item.label for item in parts["train" if kind else "all"]}
    empty = [repr(name) for label, name in enumerate(names) if label not in there]
    if empty:
        faults.append(f"{folder} has no readable {kind}images of {first_few(empty)}: add some, or take the class out")
    if "test" in parts and not parts["test"]:
        faults.append(f"{folder} has no readable test images: add some, or leave the split to be drawn")
    return faults


def leak_faults(folder: Path, parts: Parts, same: Sequence[Sequence[str]]) -> list[str]:
    """Messages about files of the same content (the groups `same`) in different splits or different classes."""
    part_of = {item.path: part for part, items in parts.items() for item in items}
    label_of = {item.path: item.label for items in parts.values() for item in items}
    faults = []
    for first, *others in same:
        for other in others:
            if part_of[other] != part_of[first]:
                faults.append(
                    f"{folder}: {first} ({part_of[first]}) and {other} ({part_of[other]}) are the same file; splits "
                    "must not share images: remove one of them"
                )
        inside = [path for path in (first, *others) if part_of[path] == part_of[first]]
        if len({label_of[path] for path in inside}) > 1:
            faults.append(
                f"{folder}: {first_few(inside)} are the same file in different classes: remove the wrong ones"
            )
    return faults
