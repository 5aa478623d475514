"""CLIP: two towers and a scale. Frozen once loaded; nothing here knows a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.block import Activation, Linear
from bmip.clip.image import ImageTower
from bmip.clip.text import TextTower
from bmip.clip.texts import ClassTexts, TextLayout, class_texts
from bmip.clip.tokenizer import Tokenizer
from bmip.prompts import Prompt

Precision = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class CLIPConfig:
    image_size: int
    patch: int
    image_width: int
    image_layers: int
    image_heads: int
    text_width: int
    text_layers: int
    text_heads: int
    context: int
    vocabulary: int
    out: int
    activation: Activation = "quick_gelu"
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)


class CLIP(nn.Module):
    """Built empty; `load_clip` fills it. `source` and `sha256` say which weights it holds."""

    source: str = ""
    sha256: str = ""

    def __init__(self, config: CLIPConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.config, self.tokenizer = config, tokenizer
        self.image = ImageTower(
            size=config.image_size,
            patch=config.patch,
            width=config.image_width,
            layers=config.image_layers,
            heads=config.image_heads,
            out=config.out,
            activation=config.activation,
        )
        self.text = TextTower(
            context=config.context,
            vocabulary=config.vocabulary,
            width=config.text_width,
            layers=config.text_layers,
            heads=config.text_heads,
            out=config.out,
            activation=config.activation,
        )
        self.logit_scale = nn.Parameter(torch.empty(()))

    @property
    def scale(self) -> Float[Tensor, ""]:
        return self.logit_scale.exp()

    def encode_image(
        self, pixels: Float[Tensor, "image 3 size size"], prompts: Sequence[Prompt] = ()
    ) -> Float[Tensor, "image out"]:
        """Features before normalisation of images already normalised with the configuration's mean and deviation."""
        return self.image(pixels, prompts)

    def encode_text(self, texts: ClassTexts, prompts: Sequence[Prompt] = ()) -> Float[Tensor, "image class out"]:
        """Features before normalisation; the first axis is 1 unless a prompt has an image axis."""
        return self.text(texts, prompts)

    def texts(self, names: Sequence[str], layout: TextLayout) -> ClassTexts:
        return class_texts(names, layout, self.tokenizer, self.config.context)

    def set_precision(self, precision: Precision) -> CLIP:
        """Store the matrices that are multiplied once in the compute type; norms and embeddings stay float32.

        Raises ValueError for float16 on a CPU, where it is several times slower than float32.
        """
        if precision == "float16" and self.logit_scale.device.type == "cpu":
            raise ValueError("float16 on a CPU is several times slower than float32: use bfloat16 or float32 there")
        dtype = getattr(torch, precision)
        for module in self.modules():
            if isinstance(module, (Linear, nn.Conv2d)):
                module.to(dtype)
        return self
