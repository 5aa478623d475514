import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bmip.class_names import ClassNames
from bmip.data.dataset import ArrayImages, Dataset, Split


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("BMIP_CACHE", str(folder))
    return folder


@pytest.fixture
def picture() -> Callable[..., Image.Image]:
    """A small picture that no other seed gives."""

    def draw(seed: int, width: int = 12, height: int = 9) -> Image.Image:
        noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Image.fromarray(noise)

    return draw


@pytest.fixture
def make_folder(tmp_path: Path, picture: Callable[..., Image.Image]) -> Callable[..., Path]:
    """Writes different pictures: `make_folder("pets", {"train/cat": 3, "test/cat": 2})`."""

    def make(name: str, counts: dict[str, int]) -> Path:
        folder = tmp_path / name
        seed = 0
        for place, count in counts.items():
            (folder / place).mkdir(parents=True)
            for index in range(count):
                picture(seed := seed + 1).save(folder / place / f"{index}.png")
        return folder

    return make


@pytest.fixture
def make_dataset() -> Callable[..., Dataset]:
    """A data set in memory; labels are given per split, every image shows its own number."""

    def make(train: list[int], val: list[int] | None, test: list[int], **options) -> Dataset:
        def split(part: str, labels: list[int], first: int) -> Split:
            numbers = torch.arange(first, first + len(labels), dtype=torch.uint8)
            pixels = numbers.view(-1, 1, 1, 1).expand(-1, 3, 4, 4).contiguous()
            return Split(ArrayImages(pixels, f"toy/{part}"), tuple(labels))

        names = ClassNames(tuple(f"class {label}" for label in range(max(train) + 1)))
        return Dataset(
            "toy",
            names,
            split("train", train, 0),
            None if val is None else split("val", val, 100),
            split("test", test, 200),
            **options,
        )

    return make


@pytest.fixture
def close_folder(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Lets the system refuse to list a folder, which permissions do not keep the administrator from."""
    closed: set[Path] = set()
    real = os.scandir

    def scandir(place: str | Path = "."):
        if Path(place).resolve() in closed:
            raise PermissionError(13, "Permission denied", str(place))
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    return lambda folder: closed.add(folder.resolve())
