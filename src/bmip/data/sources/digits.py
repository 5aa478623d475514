"""Scikit-learn's handwritten digits as a folder of images: real data without a download."""

import random
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bmip.data.dataset import DataError, Dataset
from bmip.data.read_config import ReadConfig
from bmip.data.sources.assembly import completed
from bmip.data.sources.folder import SPLIT_FILE, find_folder
from bmip.data.sources.split_file import Item, Parts, write_parts
from bmip.data.transforms import Augmentation

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAMES = tuple(f"digit {word}" for word in WORDS)
TEMPLATE = "a photo of the {}."
TEMPLATES = (TEMPLATE, "a photo of a {}.", "the {}.", "a blurry photo of the {}.", "a black {} on paper.")
FOLDER = "digits-1"  # the number changes when what is written changes
SIDE = 48
VAL, TEST = 50, 60  # images per class; the rest, 64 to 73, is for training


def load_digits_folder(read: ReadConfig = ReadConfig()) -> Dataset:
    """Loads 1797 handwritten digits, dark on light, scanned at 8 x 8 pixels and enlarged to 48 x 48 (bicubic).

    The first call writes them to the cache as PNG files with a fixed stratified split. A label is the digit itself, so
    the base classes are zero to four. Crops keep at least half of the area and are never mirrored.
    """
    folder = read.cache_folder / FOLDER
    if not (folder / SPLIT_FILE).exists():
        write_digits(folder)
    own = replace(read, template=read.template or TEMPLATE)
    dataset = completed(find_folder(folder, read.cache_folder), own)
    classes = replace(dataset.classes, templates=TEMPLATES)
    return replace(dataset, name="digits", classes=classes, augmentation=Augmentation(scale=(0.5, 1.0), flip=False))


def write_digits(folder: Path, *, write_split: Callable[[Parts, Path], None] = write_parts) -> None:
    """Writes the images and the split to a temporary folder and renames it, so that an interruption leaves nothing.

    Raises DataError if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataError(
            "the digits come with scikit-learn, which is not installed: pip install 'bmip[digits]'"
        ) from error
    digits: Any = load_digits()
    folder.parent.mkdir(parents=True, exist_ok=True)
    workshop = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".digits-"))
    try:
        items: list[list[Item]] = [[] for _ in NAMES]
        for index, (image, label) in enumerate(zip(digits.images, digits.target.tolist(), strict=True)):
            path = f"{NAMES[label].replace(' ', '_')}/{index:04}.png"
            (workshop / path).parent.mkdir(exist_ok=True)
            _picture(image).save(workshop / path)
            items[label].append(Item(path, label, NAMES[label]))
        write_split(_split(items), workshop / SPLIT_FILE)
        workshop.chmod(0o755)
        try:
            workshop.rename(folder)
        except OSError:
            if not (folder / SPLIT_FILE).exists():  # else another process was faster
                raise
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _picture(ink: np.ndarray) -> Image.Image:
    """`ink` has scikit-learn's values, 0 (paper) to 16 (black)."""
    paper = np.rint(255 * (1 - ink / 16)).astype(np.uint8)
    return Image.fromarray(paper).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _split(items: list[list[Item]]) -> Parts:
    draws = random.Random(1)
    parts: tuple[list[Item], list[Item], list[Item]] = ([], [], [])
    for members in items:
        draws.shuffle(members)
        for part, chosen in zip(parts, (members[VAL + TEST :], members[:VAL], members[VAL : VAL + TEST]), strict=True):
            part += sorted(chosen)
    return Parts(*map(tuple, parts))
