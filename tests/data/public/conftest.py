from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (20, 28, 3), dtype=np.uint8)
    stream = BytesIO()
    Image.fromarray(noise).save(stream, "JPEG")
    return stream.getvalue()


@pytest.fixture
def put(tmp_path: Path, jpeg: bytes) -> Callable[..., Path]:
    """Writes small JPEGs below the root: `put("dtd/images/banded", 3)` or `put("oxford_pets/images", ["a.jpg"])`."""

    def write(place: str, names: int | list[str]) -> Path:
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        for name in [f"image_{index:04}.jpg" for index in range(names)] if isinstance(names, int) else names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(jpeg)
        return folder

    return write
