"""Unpacks downloaded archives safely: no path outside the folder, no links, and no half-unpacked folder."""

import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from bmip.data.dataset import DataError
from bmip.system.files import writing

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".zip")
SWELLING = 200  # times the archive's size; images hardly shrink when they are packed
CHUNK = 2**20
WORKSHOP = ".unpacking-"  # how the folders begin in which an archive is unpacked

Member = tuple[str, IO[bytes]]


def unpack(archive: Path, folder: Path, into: str, *, inside: str = "") -> None:
    """Unpacks the part of the archive below `inside` to `folder / into`.

    With an empty `into` the entries are put beside those that `folder` has, and existing ones stay. Raises DataError
    for a damaged archive, and for one with links or with paths that lead out of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(dir=folder, prefix=WORKSHOP))
    try:
        count = _extract(archive, workshop, PurePosixPath(inside))
        if not count:
            raise DataError(f"{archive} holds nothing below {inside or 'it'}: it is another archive than expected")
        workshop.chmod(0o755)
        if into:
            (folder / into).parent.mkdir(parents=True, exist_ok=True)
            workshop.rename(folder / into)
            return
        for entry in sorted(workshop.iterdir()):
            if not (folder / entry.name).exists():
                entry.rename(folder / entry.name)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def sweep_unpacked(folder: Path) -> None:
    """Removes what killed processes had unpacked so far. No process may be unpacking there."""
    for workshop in folder.glob(f"{WORKSHOP}*"):
        shutil.rmtree(workshop, ignore_errors=True)


def _extract(archive: Path, workshop: Path, inside: PurePosixPath) -> int:
    """Writes the files and returns their number."""
    room, count = SWELLING * archive.stat().st_size + CHUNK, 0
    try:
        with _members(archive) as members:
            for name, stream in members:
                place = _place(archive, name)
                if not place.is_relative_to(inside):
                    continue
                target = workshop / place.relative_to(inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                with stream, writing(target), target.open("wb") as output:
                    while block := stream.read(CHUNK):
                        room -= len(block)
                        if room < 0:
                            raise DataError(
                                f"{archive} swells to {SWELLING} times its size: it is no archive of images"
                            )
                        output.write(block)
                count += 1
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError) as error:
        raise DataError(f"{archive} is damaged or no archive ({error}): delete it and fetch it again") from error
    except OSError as error:
        if isinstance(error, FileNotFoundError) or error.errno is not None:
            raise
        raise DataError(f"{archive} is damaged or no archive ({error}): delete it and fetch it again") from error
    return count


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            yield _of_zip(file, archive)
    else:
        with tarfile.open(archive, "r:*") as file:
            yield _of_tar(file, archive)


def _of_zip(file: zipfile.ZipFile, archive: Path) -> Iterator[Member]:
    for member in file.infolist():
        if member.external_attr >> 28 == 0o12:
            raise _refused(archive, member.filename, "a link")
        if not member.is_dir():
            yield member.filename, file.open(member)


def _of_tar(file: tarfile.TarFile, archive: Path) -> Iterator[Member]:
    for member in file:
        if member.isfile():
            stream = file.extractfile(member)
            assert stream is not None
            yield member.name, stream
        elif not member.isdir():
            raise _refused(archive, member.name, "a link or a device")


def _place(archive: Path, name: str) -> PurePosixPath:
    place = PurePosixPath(name)
    outside = place.is_absolute() or not place.parts or ".." in place.parts or ":" in place.parts[0]
    if outside or "\\" in name or "\0" in name:
        raise _refused(archive, name, "a path that leads out of it")
    return place


def _refused(archive: Path, name: str, what: str) -> DataError:
    return DataError(f"{archive} holds {name!r}, {what}; nothing was unpacked: get the archive elsewhere")
