"""Batches of square uint8 images for training and for evaluation."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import UInt8
from torch import Tensor

from bmip.data.dataset import ArrayImages, Chosen, DataError, Images, Split
from bmip.data.transforms import Augmentation, augmented, centre_square
from bmip.system.machine import cores
from bmip.system.seeds import seed_of

HELD_FOR_TRAINING = 2**31  # bytes of decoded images kept in memory; what goes beyond is decoded again each epoch
HELD_FOR_EVALUATION = 2**29  # bytes of squares kept for the next pass: 3500 images at 224 pixels

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None) -> Iterator[Result]:
    """Like `map`, but threads compute a few results ahead. (Decoding an image releases Python's lock.)"""
    workers = workers or min(8, cores())
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) > 4 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def steps_in_epoch(images: int, batch: int) -> int:
    """The number of batches in an epoch of training: an incomplete last one is dropped, unless it is the only one."""
    return max(1, images // batch)


class TrainBatches:
    """Shuffled and augmented batches of a split.

    The order and the augmentation of an epoch depend only on the data seed and the number of the epoch, so that
    training can resume at any epoch. An incomplete last batch is dropped, unless it is the only one. Decoded images
    stay in memory up to `held_bytes`.

    Raises DataError for an empty split, ValueError for a size, batch or number of views below 1.
    """

    def __init__(
        self,
        split: Split,
        size: int,
        batch: int,
        data_seed: int,
        views: int = 1,
        augmentation: Augmentation | None = None,
        *,
        held_bytes: int = HELD_FOR_TRAINING,
    ) -> None:
        if not len(split):
            raise DataError("there are no images to train on: give at least one")
        if size < 1 or batch < 1 or views < 1:
            raise ValueError(f"size {size}, batch {batch} and views {views} must be at least 1")
        self.size, self.batch, self.data_seed, self.views = size, batch, data_seed, views
        self.augmentation = augmentation or Augmentation()
        self._images, self._labels = split.images, torch.tensor(split.labels)
        self._held: dict[int, Tensor] = {}
        self._room = held_bytes

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return steps_in_epoch(len(self._labels), self.batch)

    def epoch(self, number: int) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Yields for each batch one uint8 tensor (image, 3, size, size) per view, and the labels."""
        generator = torch.Generator().manual_seed(seed_of(self.data_seed, number))
        order = torch.randperm(len(self._labels), generator=generator)
        decoded = self._decoded(order[: len(self) * self.batch].tolist())
        for start in range(0, len(self) * self.batch, self.batch):
            chosen = order[start : start + self.batch]
            images = [next(decoded) for _ in chosen]
            views = [augmented(images, self.size, self.augmentation, generator) for _ in range(self.views)]
            yield views, self._labels[chosen]

    def _decoded(self, order: list[int]) -> Iterator[Tensor]:
        """The images in this order. Threads are used only while there are images to decode."""
        held = _in_memory(self._images) or len(self._held) == len(self._labels)
        images = map(self._image, order) if held else ahead(self._image, order)
        for index, image in zip(order, images, strict=True):
            if index not in self._held and not _in_memory(self._images) and image.numel() <= self._room:
                self._held[index] = image
                self._room -= image.numel()
            yield image

    def _image(self, index: int) -> Tensor:
        return self._held[index] if index in self._held else self._images[index]


class EvalBatches:
    """Batches of a split in its order, with the centre square of each image.

    The value can be iterated again. If all squares fit into `held_bytes`, they are made in the first pass only.

    Raises ValueError for a size or batch below 1.
    """

    def __init__(
        self,
        split: Split,
        size: int,
        batch: int = 100,
        *,
        held_bytes: int = HELD_FOR_EVALUATION,
        workers: int | None = None,
    ) -> None:
        if size < 1 or batch < 1:
            raise ValueError(f"size {size} and batch {batch} must be at least 1")
        self.size, self.batch = size, batch
        self._split, self._workers = split, workers
        self._held: list[Tensor] = []
        self._hold = len(split) * 3 * size * size <= held_bytes

    def __len__(self) -> int:
        """The number of batches."""
        return -(-len(self._split) // self.batch)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields uint8 tensors (image, 3, size, size) with their labels."""
        pixels = iter(self._held) if len(self._held) == len(self) else self._pixels()
        for start, squares in zip(range(0, len(self._split), self.batch), pixels, strict=True):
            yield squares, torch.tensor(self._split.labels[start : start + self.batch])

    def _pixels(self) -> Iterator[Tensor]:
        images = self._split.images
        decoded = range(len(images))
        squares = map(self._square, decoded) if _in_memory(images) else ahead(self._square, decoded, self._workers)
        held = []
        for start in range(0, len(images), self.batch):
            batch = torch.stack([next(squares) for _ in range(min(self.batch, len(images) - start))])
            if self._hold:
                held.append(batch)
            if start + self.batch >= len(images) and self._hold:
                self._held = held
            yield batch

    def _square(self, index: int) -> Tensor:
        return _square(self._split.images, index, self.size)


@runtime_checkable
class HasSquares(Protocol):
    """Images with a special way to make the centre squares for evaluation, or to cache them."""

    def square(self, index: int, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
        """The centre square of one image, resized to `size`."""
        ...


def _square(images: Images, index: int, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
    if isinstance(images, Chosen):
        return _square(images.images, images.indices[index], size)
    return images.square(index, size) if isinstance(images, HasSquares) else centre_square(images[index], size)


def _in_memory(images: Images) -> bool:
    return isinstance(images.images if isinstance(images, Chosen) else images, ArrayImages)
