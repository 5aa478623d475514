"""1797 handwritten digits that come with the package: real data without a download."""

import random
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.dataset import Dataset, Split
from bmip.data.transforms import Augmentation

FILE = Path(__file__).with_suffix(".npz")
"""`ink` (1797, 8, 8) from 0 (paper) to 16 (black), and `label`: the digit. digits.md says where they come from."""

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NAMES = tuple(f"digit {word}" for word in WORDS)
TEMPLATE = "a photo of the {}."
TEMPLATES = (TEMPLATE, "a photo of a {}.", "the {}.", "a blurry photo of the {}.", "a black {} on paper.")
SIDE = 48
VAL, TEST = 50, 60  # images per class; the rest, 64 to 73, is for training


@dataclass(frozen=True, eq=False)
class DigitImages:
    """Some of the digits, dark on light and enlarged to 48 x 48 (bicubic). Image 7 has the name "digit_seven/0007.png".

    The name stands for the pixels, which never change; so `split_hash` need not read them.
    """

    numbers: tuple[int, ...] = field(repr=False)
    """The positions of the images in the file."""

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int, /) -> UInt8[Tensor, "3 height width"]:
        ink, _ = _digits()
        paper = np.rint(255 * (1 - ink[self.numbers[index]] / 16)).astype(np.uint8)
        picture = Image.fromarray(paper).resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGB")
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)

    def name(self, index: int) -> str:
        number = self.numbers[index]
        return f"digit_{WORDS[_digits()[1][number]]}/{number:04}.png"


def digits_dataset(template: str = "") -> Dataset:
    """The digits with a fixed stratified split; `template` replaces their own.

    A label is the digit itself, so the base classes are zero to four. Crops keep at least half of the area and are
    never mirrored.
    """
    draws = random.Random(1)
    _, labels = _digits()
    train, val, test = [], [], []
    for label in range(len(NAMES)):
        members = np.flatnonzero(labels == label).tolist()
        draws.shuffle(members)
        val += sorted(members[:VAL])
        test += sorted(members[VAL : VAL + TEST])
        train += sorted(members[VAL + TEST :])
    parts = (Split(DigitImages(tuple(part)), tuple(labels[part].tolist())) for part in (train, val, test))
    classes = ClassNames(NAMES, template or TEMPLATE, TEMPLATES)
    return Dataset("digits", classes, *parts, val_is_test=False, augmentation=Augmentation((0.5, 1.0), flip=False))


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    with np.load(FILE) as content:
        return content["ink"], content["label"]
