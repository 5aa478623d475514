"""Disk cache of resized, centre-cropped test images: reading one is ten times as fast as making it from a photo."""

import hashlib
import mmap
import os
import threading
import weakref
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from bmip.data.images import FileImages
from bmip.system.files import free_space

VERSION = 1  # changes with what `FileImages.square` returns
MAPPED = 256  # squares that are read until the map is let go
ROOM = 2  # times the file must fit into what is free on the disk
ORIGIN = np.dtype([("size", "<i8"), ("mtime", "<i8"), ("checksum", "<i8")])


class CachedImages:
    """Image files with their centre squares cached on disk, in `folder`.

    A square is made again if its image has another size or modification time than before, or if its checksum is wrong.
    Without enough disk space (`free` gives the free bytes), or without permission to write, nothing is cached. Several
    processes and threads may share the folder. The cache file is mapped into memory; at most a few hundred squares of
    it stay resident.
    """

    def __init__(self, images: FileImages, folder: Path, *, free: Callable[[Path], int] = free_space) -> None:
        self.images, self.folder = images, folder
        self._free = free
        self._stores: dict[int, _Store | None] = {}
        self._lock = threading.Lock()

    @property
    def scaled(self) -> bool:
        """Whether squares are made from JPEGs that were decoded at a smaller size."""
        return self.images.scaled

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        return self.images[index]

    def name(self, index: int) -> str:
        return self.images.name(index)

    def square(self, index: int, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
        """The centre square of one image, resized to `size`: from the cache, else made and then cached."""
        store = self._store(size)
        if store is None:
            return self.images.square(index, size)
        try:
            found = (self.images.folder / self.images.paths[index]).stat()
        except OSError:
            return self.images.square(index, size)  # which says what is wrong
        square = store.get(index, found)
        if square is None:
            square = self.images.square(index, size)
            store.put(index, found, square)
        return square

    def _store(self, size: int) -> "_Store | None":
        with self._lock:
            if size not in self._stores:
                self._stores[size] = _opened(self.images, self.folder, size, self._free)
            return self._stores[size]


class _Store:
    """Two files: one with all squares, and one with the size, time and checksum that belong to each square."""

    def __init__(self, squares: Path, origins: Path, count: int, size: int) -> None:
        self._shape, self._writable = (3, size, size), True
        self._squares = self._open(squares, count * 3 * size * size)
        self._origins = self._open(origins, count * ORIGIN.itemsize)
        self._map, self._reads = mmap.mmap(self._squares, 0, access=mmap.ACCESS_READ), 0
        self._known = np.memmap(origins, ORIGIN, "r", shape=(count,))

    def _open(self, file: Path, size: int) -> int:
        handle = _file_of_size(file, size)
        weakref.finalize(self, os.close, handle)  # at the end of the process too, when a __del__ finds no `os` any more
        return handle

    def get(self, index: int, found: os.stat_result) -> Tensor | None:
        size, mtime, checksum = self._known[index].item()
        if (size, mtime) != (found.st_size, found.st_mtime_ns):
            return None
        length = 3 * self._shape[1] * self._shape[2]
        pixels = np.frombuffer(self._map, np.uint8, length, index * length).copy()
        self._reads += 1
        if self._reads % MAPPED == 0 and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)  # the system keeps the file as it sees fit, the process does not
        return torch.from_numpy(pixels).view(self._shape) if zlib.crc32(pixels.data) == checksum else None

    def put(self, index: int, found: os.stat_result, square: Tensor) -> None:
        """Stores a square by a write to the file: an assignment to the map would kill the process on a full disk."""
        if not self._writable:
            return
        pixels = square.contiguous().numpy()
        origin = np.array((found.st_size, found.st_mtime_ns, zlib.crc32(pixels.data)), ORIGIN)
        try:
            os.pwrite(self._squares, pixels.tobytes(), index * pixels.nbytes)
            os.pwrite(self._origins, origin.tobytes(), index * ORIGIN.itemsize)
        except OSError:
            self._writable = False


def _opened(images: FileImages, folder: Path, size: int, free: Callable[[Path], int]) -> _Store | None:
    """The cache files; None if there is not enough space, or no permission to write."""
    described = (VERSION, images.folder.resolve(), images.scaled, size, *images.paths)
    key = hashlib.sha256(os.fsencode("\n".join(map(str, described)))).hexdigest()[:24]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{images.folder.resolve().name}-{size}-{key}"
        squares, origins = (folder / f"{stem}.{end}" for end in ("squares", "origins"))
        if not squares.exists() and free(folder) < ROOM * len(images) * 3 * size * size:
            return None
        return _Store(squares, origins, len(images), size) if len(images) else None
    except OSError:
        return None


def _file_of_size(file: Path, size: int) -> int:
    """Opens a sparse file of this size: parts that were never written take no space on the disk."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    if os.fstat(handle).st_size != size:
        os.ftruncate(handle, size)
    return handle
