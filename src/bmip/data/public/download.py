"""Downloads large files: an interrupted download is continued, and every file is checked before it is used."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bmip.data.dataset import DataError
from bmip.system.files import free_space, write_text

CHUNK = 2**20
TRIES = 5  # without a single byte of progress
SECONDS = 60  # of silence until a connection counts as broken
BUSY = (408, 429)  # answers below 500 that ask for another try
SLACK = 2  # times the published size; what is longer is another file

Progress = Callable[[int, int | None], None]
"""Receives the number of bytes that have arrived, and the number of all bytes where it is known."""


def fetch(
    url: str,
    file: Path,
    *,
    size: int,
    checksum: str | None = None,
    progress: Progress = lambda done, total: None,
    note: Callable[[str], None] = lambda text: None,
    pause: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetches a file that is about `size` bytes long. A later call continues an interrupted download.

    Until the file is complete and its `checksum` ("md5:..." or "sha256:...") is right, it is called `NAME.part`. After
    a failure it waits `pause` seconds and tries again; each further wait is twice as long, and `note` receives a
    sentence about each. Raises DataError if the file cannot be fetched, or if something else arrives in its place.
    """
    if file.exists():
        if wrong := _difference(file, checksum):
            raise DataError(f"{file} is not what {url} gives ({wrong}): move it elsewhere, and it is fetched")
        return
    if not url.startswith(("http://", "https://")):
        raise DataError(f"{url} is no address on the web: give one that begins with https://")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.part")
    idle, reason = 0, None
    while True:
        before, reason = _length(partial), "it broke off"
        try:
            if _goes_on(url, partial, size, progress):
                break
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in BUSY:
                raise DataError(f"{url} answers {error.code} {error.reason}: fetch it by hand, to {file}") from error
            reason = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", None) or error) or type(error).__name__
        idle = 0 if _length(partial) > before else idle + 1
        there = f"({reason}), {_length(partial):,} bytes are there"
        if idle == TRIES:
            raise DataError(f"{url} cannot be fetched {there}: call again to go on")
        wait = pause * 2 ** (idle - 1) if idle else 0
        note(f"{url} was not fetched {there}: trying again" + f" in {wait:g} seconds" * bool(wait))
        sleep(wait)
    wrong = _difference(partial, checksum)
    _tag(partial).unlink(missing_ok=True)
    if wrong:
        partial.unlink()
        raise DataError(f"{url} gave another file than the published one ({wrong}); it was removed: try elsewhere")
    partial.replace(file)


def _goes_on(url: str, partial: Path, size: int, progress: Progress) -> bool:
    """Uses one connection; returns whether the file is complete afterwards."""
    start = _length(partial)
    headers = {"User-Agent": "bmip", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if _tag(partial).exists():
            headers["If-Range"] = _tag(partial).read_text(encoding="utf-8")
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing follows: it is whole, or another file than before
            whole = error.headers.get("Content-Range", "").rpartition("/")[2] == str(start)
            if not whole:
                partial.unlink(missing_ok=True)
            return whole
        raise
    with response:
        if response.status != 206:
            start = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            partial.unlink(missing_ok=True)  # a part that nobody asked for
            return False
        total = _total(response, start)
        _check_room(url, partial.parent, size, total, start)
        if start == 0:
            _remember(response, partial)
        done = start
        with partial.open("ab" if start else "wb") as stream:
            while block := response.read(CHUNK):
                stream.write(block)
                done += len(block)
                _check_length(url, done, size)
                progress(done, total)
    return done == total if total is not None else True


def _total(response: Any, start: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdecimal() else None


def _remember(response: Any, partial: Path) -> None:
    """Stores the server's tag of this version of the file, so that a later version is not appended to it."""
    tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
    if tag and not tag.startswith("W/"):
        write_text(_tag(partial), tag)
    else:
        _tag(partial).unlink(missing_ok=True)


def _tag(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.tag")


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _check_length(url: str, length: int, size: int) -> None:
    if length > SLACK * size + CHUNK:
        raise DataError(f"{url} sends {length:,} bytes and more, and about {size:,} are published: it is another file")


def _check_room(url: str, folder: Path, size: int, total: int | None, start: int) -> None:
    _check_length(url, total or 0, size)
    free = free_space(folder)
    if (total or size) - start > free:
        raise DataError(f"{url} has {total or size:,} bytes, and {free:,} are free at {folder}: make room")


def _difference(file: Path, checksum: str | None) -> str | None:
    """The difference from the published file in words; None if there is none."""
    if checksum is None:
        return None
    kind, _, expected = checksum.partition(":")
    digest = hashlib.new(kind)
    with file.open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
    if digest.hexdigest() == expected:
        return None
    with file.open("rb") as stream:
        page = stream.read(256).lstrip()[:1] == b"<"
    return "it is a web page" if page else f"its {kind} is {digest.hexdigest()}, not {expected}"
