"""CLIP's ViT-B/16, the backbone of the published tables: its shape, and how much a method trains on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer
from bmip.methods import build_model

VIT_B_16 = CLIPConfig(
    image_size=224, patch=16, image_width=768, image_layers=12, image_heads=12,
    text_width=512, text_layers=12, text_heads=8, context=77, vocabulary=49408, out=512,
)  # fmt: skip


def trainable_parameters(method: str, options: Mapping[str, Any], classes: int = 1) -> int:
    """How many numbers the method learns on ViT-B/16; only contexts of each class's own depend on the classes."""
    names = ClassNames(tuple(f"class {k}" for k in range(classes)))
    with torch.device("meta"):
        model = build_model(method, dict(options), _without_values(), names, seed=0)
    return sum(tensor.numel() for tensor in model.trainable().values())


@cache
def _without_values() -> CLIP:
    with torch.device("meta"):
        return CLIP(VIT_B_16, Tokenizer.default())
