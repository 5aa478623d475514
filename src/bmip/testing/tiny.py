"""A random CLIP and a data set of coloured squares, both small enough to train in milliseconds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import torch

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer
from bmip.data.dataset import ArrayImages, Dataset, Split
from bmip.data.transforms import Augmentation

COLOURS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200), "grey": (120, 120, 120)}
"""The classes of `tiny_dataset` and their mean RGB values."""

_CONFIG = CLIPConfig(
    image_size=16,
    patch=8,
    image_width=32,
    image_layers=3,
    image_heads=2,
    text_width=32,
    text_layers=3,
    text_heads=2,
    context=20,
    vocabulary=0,  # that of the tokeniser
    out=16,
)


def tiny_clip(
    *, seed: int = 0, dtype: torch.dtype = torch.float32, tokenizer: Tokenizer | None = None, **sizes: Any
) -> CLIP:
    """A frozen CLIP with random weights, large enough that every part has an effect on the features.

    Args:
        seed: the weights are drawn from it; torch's global generator is left as it is.
        dtype: of all weights.
        tokenizer: by default a small one, which knows the words of `tiny_dataset`.
        sizes: fields of CLIPConfig that differ from the tiny ones. Four `image_layers` give a ResNet; it needs
            `image_size` and `patch` 32 as well.
    """
    tokenizer = tokenizer or _tokenizer()
    with torch.random.fork_rng(devices=[]):  # torch's modules draw their first weights
        clip = CLIP(replace(_CONFIG, vocabulary=tokenizer.vocabulary, **sizes), tokenizer)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in clip.named_parameters():
        value = torch.randn(parameter.shape, generator=generator) * 0.2
        parameter.data = 1 + 0.1 * value if "ln_" in name and name.endswith("weight") else value
    clip.logit_scale.data = torch.tensor(3.0)
    clip.source, clip.sha256 = "tiny", "0" * 64
    return clip.to(dtype).eval().requires_grad_(False)


def tiny_dataset(*, val: bool = True, val_is_test: bool = False) -> Dataset:
    """Noisy 20 x 20 squares of four colours: 6 images a class to train on, 4 for validation, 5 for the test.

    `val=False` leaves the validation split out; `val_is_test` marks it as the test split.
    """

    def split(part: str, seed: int, per_class: int) -> Split:
        generator = torch.Generator().manual_seed(seed)
        labels = [label for label in range(len(COLOURS)) for _ in range(per_class)]
        colours = torch.tensor(list(COLOURS.values()), dtype=torch.float32)[labels][:, :, None, None]
        noisy = colours + 40 * torch.randn(len(labels), 3, 20, 20, generator=generator)
        return Split(ArrayImages(noisy.clamp(0, 255).to(torch.uint8), f"colours/{part}"), tuple(labels))

    return Dataset(
        "colours",
        ClassNames(tuple(COLOURS)),
        split("train", 1, 6),
        split("val", 2, 4) if val else None,
        split("test", 3, 5),
        val_is_test=val_is_test,
        augmentation=Augmentation(scale=(0.5, 1.0)),
    )


@cache
def _tokenizer() -> Tokenizer:
    return Tokenizer.train(["a photo of a red green blue grey dog"] * 3, 520)
