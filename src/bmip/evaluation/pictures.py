"""Pictures in all the forms in which `predict` takes them, as uint8 pixels, and in batches of squares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from bmip.data.batches import ahead
from bmip.data.dataset import DataError
from bmip.data.images import pillow_pixels, read_image
from bmip.data.transforms import centre_square

Picture: TypeAlias = str | Path | Image.Image | np.ndarray | Tensor
"""A file, a Pillow image, a numpy array (height, width, 3) or a tensor (3, height, width).

Arrays and tensors hold red, green and blue: uint8 in 0..255, or floating point in 0..1.
"""

FORMS = "a path, a Pillow image, a numpy array (height, width, 3) or a tensor (3, height, width)"


def pictures(given: Picture | Iterable[Picture]) -> Iterable[Picture]:
    """The pictures one by one: one that is not in a list is one picture, an array with four axes holds several.

    Raises DataError for what can be neither.
    """
    if isinstance(given, (str, Path, Image.Image)) or (isinstance(given, (np.ndarray, Tensor)) and given.ndim != 4):
        return [given]
    if isinstance(given, (bytes, bytearray, Mapping)) or not isinstance(given, Iterable):
        raise DataError(f"the images are of type {_kind(given)}: give {FORMS}, or a list of these")
    return given


def picture_name(picture: object) -> str:
    """The path of the picture's file; "(pixels)" for a picture without a known file."""
    named = getattr(picture, "filename", "") if isinstance(picture, Image.Image) else picture
    return str(named) if isinstance(named, (str, Path)) and str(named) else "(pixels)"


def picture_pixels(picture: object) -> UInt8[Tensor, "3 height width"]:
    """The pixels of a picture; a float in 0..1 becomes the nearest of the 256 steps, so that x / 255 is x again.

    Raises DataError, which says what came and what is needed, for everything else and for files that cannot be read.
    """
    if isinstance(picture, (str, Path)):
        return read_image(picture)
    if isinstance(picture, Image.Image):
        return pillow_pixels(picture, picture_name(picture))
    if isinstance(picture, np.ndarray):
        shape, layout = picture.shape, "a numpy array must be (height, width, 3)"
        right = len(shape) == 3 and shape[2] == 3
        floating = np.issubdtype(picture.dtype, np.floating)
        known = picture.dtype == np.uint8 or floating
        pixels = None
        if right and known:  # numpy's floats may have other bytes or more of them than torch's
            pixels = torch.from_numpy(np.array(picture, np.float32 if floating else np.uint8)).movedim(-1, 0)
    elif isinstance(picture, Tensor):
        shape, layout = tuple(picture.shape), "a tensor must be (3, height, width)"
        right = len(shape) == 3 and shape[0] == 3
        known = picture.dtype == torch.uint8 or picture.is_floating_point()
        pixels = picture.detach().cpu() if right and known else None
    else:
        raise DataError(f"an image is of type {_kind(picture)}: give {FORMS}")
    if not right or 0 in shape:
        raise DataError(f"an image is a {_kind(picture)} of shape {shape}: {layout}, with at least one pixel")
    if pixels is None:
        raise DataError(
            f"an image is a {_kind(picture)} of {picture.dtype}: give uint8 in 0..255, or floating point in 0..1"
        )
    if pixels.dtype == torch.uint8:
        return pixels
    lowest, highest = (float(value) for value in pixels.float().aminmax())
    if not (lowest >= 0 and highest <= 1):  # so written, NaN is refused too
        raise DataError(
            f"an image of {picture.dtype} has values from {lowest:g} to {highest:g}: floating point must be in 0..1 "
            "(before CLIP's normalisation); values in 0..255 must be uint8"
        )
    return (pixels.float() * 255).round().to(torch.uint8)


def squares(
    images: Picture | Iterable[Picture],
    size: int,
    batch: int = 100,
    *,
    unread: Callable[[str], None] | None = None,
) -> Iterator[tuple[UInt8[Tensor, "image 3 size size"], tuple[str, ...]]]:
    """The centre squares of the pictures, a batch at a time, and their names. Pictures are taken only as needed.

    `unread` is told why a picture cannot be read, and it is left out; without it such a picture raises DataError.
    Raises ValueError for a batch below 1.
    """
    if batch < 1:
        raise ValueError(f"batch is {batch}; at least one picture at a time is needed")

    def square(picture: object) -> tuple[str, Tensor] | DataError:
        try:
            return picture_name(picture), centre_square(picture_pixels(picture), size)
        except DataError as error:
            return error

    def readable() -> Iterator[tuple[str, Tensor]]:
        for found in ahead(square, pictures(images)):
            if not isinstance(found, DataError):
                yield found
            elif unread is None:
                raise found
            else:
                unread(str(found))

    each = readable()
    while chunk := list(islice(each, batch)):
        names, pixels = zip(*chunk, strict=True)
        yield torch.stack(pixels), names


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}".removeprefix("builtins.")
