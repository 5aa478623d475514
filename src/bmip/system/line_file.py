"""A file of lines of JSON to which processes append while others read. An append looks at the end of the file only."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bmip.system.files import write_bytes, writing

try:
    import fcntl
except ImportError:  # Windows: one process at a time
    fcntl = None

BLOCK = 4096
"""Bytes that are read at once to find where the last line begins."""

KNOWN = 256
"""Bytes before a mark by which the file is recognised."""


def check_locks(folder: Path) -> None:
    """Raises OSError where files in this folder cannot be locked, as on some network file systems."""
    if fcntl is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise OSError(
                f"{folder} lies on a file system without locks (flock: {error.strerror}), which keep processes from "
                "spoiling each other's results: choose a folder elsewhere, or mount it with locks"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far a file was read."""

    file: tuple[int, int]
    """The file's number on its device: another one has taken its place where it differs."""

    lines: int
    """The number of lines before the mark."""

    position: int
    """The number of bytes before the mark."""

    end: bytes
    """The last bytes before the mark."""

    size: int
    """The size of the file when it was read: larger than `position` where the last line was cut off."""

    changed: int
    """When the file was last changed, in nanoseconds."""

    @property
    def is_open(self) -> bool:
        """Whether the last line before the mark lacked its end."""
        return bool(self.end) and not self.end.endswith(b"\n")


START = Mark(file=(0, 0), lines=0, position=0, end=b"", size=0, changed=0)
"""The mark before the first line."""


class LineFile:
    """Lines of JSON objects in a file. A last line that was cut off by a crash is no line; the next append removes it.

    Appends of several processes follow each other. Readers need no lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, line: bytes) -> None:
        """Adds a line, given without its end. When this returns, it is on the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line += b"\n"
        with writing(self.path), self._locked() as file:
            begin, last = _last_line(file)
            if last and _is_whole(last):
                line = b"\n" + line
            elif last:
                file.truncate(begin)
            left = memoryview(line)
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())

    def read(self, mark: Mark | None = None) -> tuple[list[bytes], int, Mark]:
        """The lines behind the mark, how many lines stand before them, and the mark behind them.

        The lines are those of the whole file, and none stand before them, where no mark is given and where the file has
        not just grown since the mark was made. Raises FileNotFoundError without a file.
        """
        with self.path.open("rb") as file:
            about = os.fstat(file.fileno())
            known = mark if mark is not None and _has_grown(file, about, mark) else START
            file.seek(known.position)
            content = _whole_lines(file.read(about.st_size - known.position))
        lines = content.split(b"\n")
        if not lines[-1]:
            lines.pop()
        if known.is_open and lines and lines.pop(0):
            return self.read()  # what stood there as a whole line was not the end of it
        found = Mark(
            file=(about.st_dev, about.st_ino),
            lines=known.lines + len(lines),
            position=known.position + len(content),
            end=(known.end + content[-KNOWN:])[-KNOWN:],
            size=about.st_size,
            changed=about.st_mtime_ns,
        )
        return lines, known.lines, found

    def is_cut_off(self) -> bool:
        """Whether the last line was cut off by a crash. Raises FileNotFoundError without a file."""
        with self.path.open("rb") as file:
            last = _last_line(file)[1]
        return bool(last) and not _is_whole(last)

    def replace(self, change: Callable[[list[bytes]], Iterable[bytes]]) -> None:
        """Replaces the lines by those that `change` makes of them, at once, while other processes wait to append.

        What `change` raises leaves the file as it is.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with writing(self.path), self._locked() if fcntl is not None else nullcontext():
            lines = self.read()[0] if self.path.exists() else []
            write_bytes(self.path, b"".join(line + b"\n" for line in change(lines)))

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """The file, open to append, and locked until it is closed. It is made where there is none."""
        while True:
            with self.path.open("a+b", buffering=0) as file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                if self._is_still(file):
                    yield file
                    return

    def _is_still(self, file: IO[bytes]) -> bool:
        """Whether the file has still its name: another process may have replaced it before it was locked here."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False


def _has_grown(file: IO[bytes], about: os.stat_result, mark: Mark) -> bool:
    """Whether the file is that of the mark, and what stood before the mark stands there still."""
    same_size = about.st_size == mark.size
    if (about.st_dev, about.st_ino) != mark.file or (same_size and about.st_mtime_ns != mark.changed):
        return False
    file.seek(mark.position - len(mark.end))
    return file.read(len(mark.end)) == mark.end


def _whole_lines(content: bytes) -> bytes:
    """The content without a last line that was cut off."""
    begin = content.rfind(b"\n") + 1
    return content if _is_whole(content[begin:]) else content[:begin]


def _last_line(file: IO[bytes]) -> tuple[int, bytes]:
    """Where the last line begins, and the line. It is empty where the file ends with the end of a line."""
    begin, last = file.seek(0, os.SEEK_END), b""
    while begin and b"\n" not in last:
        block = min(BLOCK, begin)
        begin = file.seek(begin - block)
        last = file.read(block) + last
    ahead = last.rfind(b"\n") + 1
    return begin + ahead, last[ahead:]


def _is_whole(line: bytes) -> bool:
    """Whether a line without an end is a line: no object in JSON is the beginning of another one."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
