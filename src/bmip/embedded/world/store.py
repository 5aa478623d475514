"""Rendered images on disk, so that a data set is drawn once; named after the code that drew them."""

import hashlib
import io
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from bmip.embedded.pictures import surfaces
from bmip.system.files import write_bytes

Images = UInt8[Tensor, "image 3 height width"]

_KEPT_SECONDS = 24 * 3600  # another version of the code may still be at work
_WORDING = ("captions.py", "pretraining.py", "store.py")  # the modules whose text does not touch a data set's pixels


def stored(name: str, draw: Callable[[], Images], folder: Path | None) -> Images:
    """The images of that name from disk, drawn first where they are missing or were drawn by other code.

    Without a folder, or where nothing can be written to it, they are drawn each time.
    """
    if folder is None:
        return draw()
    path = folder / "world" / f"{name}-{code_hash()}.npy"
    if not path.exists():
        images = draw()
        try:
            _write(path, images.numpy())
            _forget_others(path, name)
        except OSError:
            return images
    return torch.from_numpy(np.load(path, mmap_mode="c"))  # changes stay in memory


@cache
def code_hash() -> str:
    """Names the renderer and the definitions of the data sets by their source text: any change draws anew."""
    digest = hashlib.sha256()
    for module in (Path(surfaces.__file__), *sorted(Path(__file__).parent.glob("*.py"))):
        if module.name not in _WORDING:
            digest.update(module.read_bytes())
    return digest.hexdigest()[:12]


def _write(path: Path, images: np.ndarray) -> None:
    """Whole or not at all, whoever else is writing the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, images)
    write_bytes(path, content.getvalue())


def _forget_others(path: Path, name: str) -> None:
    """Remove what other code drew under the same name, unless it did so within the last day."""
    for other in path.parent.glob(f"{name}-{'[0-9a-f]' * 12}.npy"):
        if other != path and other.stat().st_mtime < time.time() - _KEPT_SECONDS:
            other.unlink(missing_ok=True)
