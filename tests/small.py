"""A backbone and photos on disk that are small enough for whole runs in a second."""

from pathlib import Path

import numpy as np
from PIL import Image

from bmip.clip.loading.load import save_clip
from bmip.testing import tiny_clip
from bmip.testing.tiny import COLOURS

SMALL = ("--set", "depth=2", "--epochs", "2", "--shots", "2", "--batch", "4", "--threads", "1", "--device", "cpu")
"""Options that fit the small backbone's three layers."""


def backbone_folder(folder: Path) -> Path:
    save_clip(tiny_clip(), folder)
    return folder


def photo_folder(folder: Path, *, images: int = 10, classes: tuple[str, ...] = tuple(COLOURS)) -> Path:
    """A folder per class, each with noisy pictures of one colour; no two are alike."""
    draws = np.random.default_rng(1)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(images):
            noisy = np.array(COLOURS[name]) + draws.normal(0, 30, (20, 24, 3))
            Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number:02}.png")
    return folder
