"""Downloads a public data set, puts its files in place and says what a person must do."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bmip.data.dataset import DataError
from bmip.data.public.archive import sweep_unpacked, unpack
from bmip.data.public.download import Progress, fetch
from bmip.data.public.downloads import CLASSNAMES, HUB, Download, Origin
from bmip.data.public.registry import PUBLIC, PublicSet
from bmip.system.files import write_bytes

Fetching = Callable[[str], Progress]
"""Given a file name, returns its download-progress callback."""


def plan(known: PublicSet, origin: Origin, root: Path) -> Iterator[str]:
    """Sentences about what exists, what will be downloaded and what a person must do."""
    folder = root / known.folder
    yield f"{known.title}: {folder} needs {', '.join(_needed(known, origin))}"
    yield f"licence, as far as known: {origin.licence}"
    for download in origin.downloads:
        absent = _absent(folder, download.gives)
        if absent:
            checked = "" if download.checksum else ", without a published checksum"
            yield f"{', '.join(absent)}: {download.url} ({_bytes(download.size)}{checked})"
        else:
            yield f"{', '.join(download.gives)}: there already"
    yield from to_do(known, origin, root)


def prepare(
    known: PublicSet,
    origin: Origin,
    root: Path,
    fetching: Fetching,
    *,
    note: Callable[[str], None] = lambda text: None,
    pause: float = 2.0,
) -> None:
    """Downloads and unpacks every missing file that has a direct link. A later call continues after an interruption.

    Raises DataError for what `fetch` and `unpack` refuse, and where another process prepares the same data set.
    """
    folder = root / known.folder
    if CLASSNAMES in origin.drive:
        _share_class_names(folder / CLASSNAMES[0], root)
    for download in origin.downloads:
        if _absent(folder, download.gives):
            with _alone(folder):
                _get(download, folder, fetching, note, pause)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other processes out of the folder, and removes what one left there that was killed while unpacking."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".preparing.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise DataError(f"another bmip prepares {folder}: give the command again when it is done") from error
    try:
        sweep_unpacked(folder)
        yield
    finally:
        lock.release()


def _share_class_names(target: Path, root: Path) -> None:
    """Copies ImageNet's list of class names to a variant that needs it."""
    source = root / PUBLIC["imagenet"].folder / target.name
    if source.is_file() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target, source.read_bytes())


def _get(download: Download, folder: Path, fetching: Fetching, note: Callable[[str], None], pause: float) -> None:
    file_name = download.url.rpartition("/")[2]
    archive = folder / (download.gives[0] if download.into is None else file_name)
    fetch(
        download.url,
        archive,
        size=download.size,
        checksum=download.checksum,
        progress=fetching(file_name),
        note=note,
        pause=pause,
    )
    if download.into is not None:
        unpack(archive, folder, download.into, inside=download.inside)
        archive.unlink()


def to_do(known: PublicSet, origin: Origin, root: Path) -> list[str]:
    """Sentences about missing files that a person must download, and how; empty if there are none."""
    folder = root / known.folder
    linked = {part for download in origin.downloads for part in download.gives}
    absent = [part for part in _absent(folder, _needed(known, origin)) if part not in linked]
    if not absent:
        return []
    steps = [f"{', '.join(absent)} must be put into {folder} by hand:"]
    steps += [
        f"{file}: https://drive.google.com/file/d/{id_}/view" for file, id_ in _lacking(origin, folder, known.images)
    ]
    steps += origin.by_hand
    if origin.archive is not None:
        fetched = f"hf download {HUB} --repo-type model --include {origin.archive} --local-dir {root}"
        steps.append(f"or all of it from the hub: {fetched}, and unpack {root / origin.archive} into {root}")
    return steps


def _absent(folder: Path, parts: Iterable[str]) -> list[str]:
    return [part for part in parts if not (folder / part).exists()]


def _lacking(origin: Origin, folder: Path, images: str) -> list[tuple[str, str]]:
    """Missing files of Google Drive. An archive of images is not missing if the images exist."""
    return [
        (file, id_)
        for file, id_ in origin.drive
        if not (folder / file).exists() and not (file.startswith(images or " ") and (folder / images).exists())
    ]


def _needed(known: PublicSet, origin: Origin) -> list[str]:
    """The files and folders that the data set needs so that results compare with published ones."""
    linked = [part for download in origin.downloads for part in download.gives]
    split = [] if known.split_file is None else [known.split_file]
    images = [known.images] if known.images else ["cars_train", "cars_test"]
    drive = [file for file, _ in origin.drive if not file.endswith(".zip")]
    return list(dict.fromkeys([*images, *linked, *split, *drive]))


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} bytes"
