"""Reads image files of all usual kinds as uint8 RGB."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

from bmip.data.dataset import DataError
from bmip.data.transforms import centre_square

SUFFIXES = frozenset(
    [
        ".apng",
        ".avif",
        ".bmp",
        ".gif",
        ".heic",
        ".heif",
        ".jfif",
        ".jp2",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    ]
)

SIXTEEN_BITS = ("PNG", "PPM")
"""The formats whose values Pillow may hold in 32 bits though they run from 0 to 65535."""

HIDDEN = frozenset(("__macosx", "desktop.ini", "thumbs.db"))
"""Files and folders that operating systems leave behind, in lower case."""

ORIENTATION = 0x0112  # the EXIF tag


def read_image(path: Path | str, *, at_least: int | None = None) -> UInt8[Tensor, "3 height width"]:
    """Reads an image as a person would see it: turned upright by its EXIF tag, on white where it is transparent.

    Greyscale, palette and CMYK images become RGB, 16-bit greyscale is scaled to eight bits, and an animation gives its
    first frame. HEIC needs the package pillow-heif. With `at_least`, a large JPEG may be decoded at a half, a quarter
    or an eighth of its size, so that no side is shorter than `at_least` pixels: faster, but the pixels differ slightly
    after resizing.

    Raises DataError for a file that cannot be read in full: missing, truncated, no image, with signed or 32-bit values.
    """
    return _decoded(Path(path), Path(path), at_least)


def read_bytes(content: bytes, name: str) -> UInt8[Tensor, "3 height width"]:
    """Like `read_image` for the content of a file; `name` stands in messages."""
    return _decoded(BytesIO(content), name)


def pillow_pixels(image: Image.Image, name: str) -> UInt8[Tensor, "3 height width"]:
    """Like `read_image` for an image that Pillow has opened or made; `name` stands in messages."""
    try:
        return _pixels(image)
    except (OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read ({error})") from error


def check_image(path: Path | str) -> str | None:
    """The reason why `read_image` cannot read the file, else None. A JPEG is read in full but decoded small."""
    try:
        _decoded(Path(path), Path(path), at_least=1)
    except DataError as error:
        return str(error)
    return None


def _decoded(source: Path | BytesIO, name: Path | str, at_least: int | None = None) -> UInt8[Tensor, "3 height width"]:
    try:
        with _opened(source) as image:
            if at_least is not None:
                image.draft(None, (at_least, at_least))  # of a JPEG every byte is still parsed
            return _pixels(image)
    except FileNotFoundError:
        raise DataError(f"{name} does not exist") from None
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise about every type there is
        raise DataError(f"{name} {_reason(source, error)}") from error


def _pixels(image: Image.Image) -> UInt8[Tensor, "3 height width"]:
    image.load()
    if image.mode == "F" or (image.mode == "I" and image.format not in SIXTEEN_BITS):
        raise ValueError("it holds signed or 32-bit values, whose range is not known: save it with 8 bits")
    pixels = np.array(_in_rgb(_upright(image)))
    return torch.from_numpy(pixels).permute(2, 0, 1)  # rows of RGB triples in memory, which resizing likes best


def _opened(source: Path | BytesIO) -> Image.Image:
    try:
        return Image.open(source)
    except Image.UnidentifiedImageError:
        content = source.read_bytes() if isinstance(source, Path) else source.getvalue()
        if content[4:8] != b"ftyp":
            raise
        read_heic_too()
        return Image.open(source)


@cache
def read_heic_too() -> None:
    """Teaches Pillow to read HEIC. Raises ValueError without the package that can."""
    try:
        import_module("pillow_heif").register_heif_opener()
    except ImportError as error:
        raise ValueError("it is HEIC, which needs a package: pip install 'bmip[heic]', or save it as JPEG") from error


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # a broken tag says nothing about the pixels
        if image.getexif().get(ORIENTATION, 1) != 1:
            return ImageOps.exif_transpose(image)
    return image


def _in_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return _from_integers(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_integers(image: Image.Image) -> Image.Image:
    """Greyscale with 16 bits; Pillow itself would cut every value above 255."""
    values = np.asarray(image).astype(np.int64)
    return Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8))


def _reason(source: Path | BytesIO, error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "is a folder, not an image"
    if isinstance(error, OSError) and error.strerror:  # of the system, not of Pillow
        return f"cannot be read ({error.strerror})"
    if (source.stat().st_size if isinstance(source, Path) else source.getbuffer().nbytes) == 0:
        return "is empty (0 bytes)"
    if isinstance(error, Image.UnidentifiedImageError):
        return "is not an image, or of a kind that cannot be read"
    return f"cannot be read ({error})"


@dataclass(frozen=True, eq=False)
class FileImages:
    """Image files below one folder, decoded at each access; the name of an image is its path relative to the folder."""

    folder: Path
    paths: tuple[str, ...] = field(repr=False)
    scaled: bool = False
    """Whether squares are made from JPEGs that were decoded at a smaller size."""

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        return read_image(self.folder / self.paths[index])

    def name(self, index: int) -> str:
        return self.paths[index]

    def square(self, index: int, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
        """The centre square for evaluation, resized to `size`."""
        file = self.folder / self.paths[index]
        return centre_square(read_image(file, at_least=size if self.scaled else None), size)


def image_files(names: Sequence[str]) -> list[str]:
    """The file names with a suffix of an image format, without hidden files."""
    return [name for name in names if Path(name).suffix.lower() in SUFFIXES and not is_hidden(Path(name).name)]


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or of those that operating systems leave behind."""
    return name.startswith(".") or name.lower() in HIDDEN
