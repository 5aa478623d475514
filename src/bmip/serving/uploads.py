"""From the bytes that somebody sent to pixels, without trust in them."""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO

from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from bmip.data.dataset import DataError
from bmip.data.images import pillow_pixels, read_heic_too
from bmip.serving.limits import WHOLE, Limits, RefusedError
from bmip.system.messages import first_line

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
"""What Pillow may take the bytes for, and HEIC where there is a package for it. Its other readers are slow, or start
programs."""

_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)
"""What begins a part of a JPEG; the number of its kind. The data of a scan have no such bytes but for `_ALONE`."""
_SCAN, _END, _ALONE, _FIRST = 0xDA, 0xD9, range(0xD0, 0xD9), 0xC0

SCANS = 100
"""A progressive JPEG shows the picture in about ten scans. Each costs time for the whole picture, even an empty one."""


def upload_pixels(content: bytes, name: str, limits: Limits) -> UInt8[Tensor, "3 height width"]:
    """The pixels of a file that was sent; `name` stands in messages.

    Raises RefusedError: with 413 for too many bytes, 415 for what is no picture of these formats, and 422 for a picture
    that is too large or cannot be read in full.
    """
    check_bytes(len(content), name, limits)
    if not content:
        raise RefusedError(422, f"{name} is empty (0 bytes)")
    try:
        with Image.open(BytesIO(content), formats=formats()) as image:
            width, height = image.size
            if width * height > limits.image_pixels:
                raise RefusedError(
                    422,
                    f"{name} has {width:,} x {height:,} pixels; a picture may have {limits.image_pixels:,} in all: "
                    "make it smaller",
                )
            if image.format in ("JPEG", "MPO") and _scans(content) > SCANS:
                raise RefusedError(422, f"{name} is a JPEG of more than {SCANS} scans: save it as an ordinary JPEG")
            return pillow_pixels(image, name)
    except Image.UnidentifiedImageError:
        kinds = ", ".join(formats())
        raise RefusedError(415, f"{name} is no picture, or its first bytes are damaged: send one of {kinds}") from None
    except DataError as error:
        raise RefusedError(422, first_line(error, WHOLE)) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RefusedError(422, f"{name} has too many pixels: make it smaller") from error
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # Pillow's plugins raise about every type there is
        raise RefusedError(422, f"{name} cannot be read ({first_line(error)})") from error


def _scans(content: bytes) -> int:
    """How often the first picture of a JPEG is gone through; a telephone may have put a film behind it."""
    found, place = 0, 2
    while marker := _MARKER.search(content, place):
        kind, place = marker[1][0], marker.end()
        if kind == _END:
            break
        found += kind == _SCAN
        if kind >= _FIRST and kind not in _ALONE:  # others have no length
            place += int.from_bytes(content[place : place + 2], "big")
    return found


@cache
def formats() -> tuple[str, ...]:
    """The kinds of pictures that are read here, by Pillow's names."""
    try:
        read_heic_too()
    except ValueError:
        return FORMATS
    return (*FORMATS, "HEIF")


def check_bytes(size: int | None, name: str, limits: Limits) -> None:
    """Raises RefusedError with 413 for a file of too many bytes; None is a size that is not known yet."""
    if size is not None and size > limits.image_bytes:
        most = f"{limits.image_bytes:,}"
        raise RefusedError(413, f"{name} has {size:,} bytes; a picture may have {most}: make it smaller")


def shown_name(given: str | None, number: int) -> str:
    """A file's name as messages show it: without its folders, without what does not print, and short."""
    last = (given or "").replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:100].strip() or f"picture {number}"
