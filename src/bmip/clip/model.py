"""CLIP: two towers and a scale. Frozen once loaded; nothing here knows a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.block import Activation, Linear
from bmip.clip.image import ImageTower
from bmip.clip.precision import Precision
from bmip.clip.prompts import Prompt
from bmip.clip.resnet import ResNet, Stages
from bmip.clip.text import TextTower
from bmip.clip.text_layout import TextLayout
from bmip.clip.texts import ClassTexts, class_texts
from bmip.clip.tokenizer import Tokenizer


@dataclass(frozen=True)
class CLIPConfig:
    """The image tower is a ViT, or a ResNet where its layers are counted for each stage."""

    image_size: int
    patch: int
    """Side of the square that becomes a token; in a ResNet 32, one cell of its last grid."""

    image_width: int
    """Of a ViT's tokens; of a ResNet's first stage."""

    image_layers: int | Stages
    image_heads: int
    """In a ResNet, of the attention at its end."""

    text_width: int
    text_layers: int
    text_heads: int
    context: int
    vocabulary: int
    out: int
    activation: Activation = "quick_gelu"
    """Of transformers; a ResNet has ReLU."""

    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)


class CLIP(nn.Module):
    """Built empty; `load_clip` fills it. `source` and `sha256` say which weights it holds."""

    source: str = ""
    sha256: str = ""

    def __init__(self, config: CLIPConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.config, self.tokenizer = config, tokenizer
        self.image = _image_tower(config)
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
    def device(self) -> torch.device:
        """Where the weights are, and where pixels must be."""
        return self.logit_scale.device

    @property
    def scale(self) -> Float[Tensor, ""]:
        """What the cosines are multiplied by to give logits; the exponential of the stored `logit_scale`."""
        return self.logit_scale.exp()

    @property
    def vit(self) -> ImageTower:
        """The image tower, where prompts can enter it: ask for it before anything is built on its layers.

        Raises ValueError where it is a ResNet.
        """
        if isinstance(self.image, ResNet):
            raise ValueError(
                f"{self.source or 'this CLIP'} has a ResNet image tower, which takes no image prompts: choose a method "
                "whose prompts are all in the text tower, or a ViT such as ViT-B/16"
            )
        return self.image

    def encode_image(
        self, pixels: Float[Tensor, "image 3 size size"], prompts: Sequence[Prompt] = ()
    ) -> Float[Tensor, "image out"]:
        """Features before normalisation of images already normalised with the configuration's mean and deviation."""
        size = (self.config.image_size, self.config.image_size)
        if pixels.shape[-2:] != size:
            raise ValueError(f"images are {tuple(pixels.shape[-2:])}; this tower takes {size} pixels")
        return self.vit(pixels, prompts) if prompts else self.image(pixels)

    def encode_text(self, texts: ClassTexts, prompts: Sequence[Prompt] = ()) -> Float[Tensor, "image class out"]:
        """Features before normalisation; the first axis is 1 unless a prompt has an image axis."""
        return self.text(texts, prompts)

    def texts(self, names: Sequence[str], layout: TextLayout) -> ClassTexts:
        return class_texts(names, layout, self.tokenizer, self.config.context)

    def set_precision(self, precision: Precision) -> CLIP:
        """Store the matrices that are multiplied once in the compute type; norms and embeddings stay float32.

        Raises ValueError for float16 on a CPU, where it is several times slower than float32, and for matrices that
        were rounded to another 16-bit type before, since that cannot be taken back.
        """
        if precision == "float16" and self.device.type == "cpu":
            raise ValueError("float16 on a CPU is several times slower than float32: use bfloat16 or float32 there")
        dtype, stored = getattr(torch, precision), self.text.projection.weight.dtype
        if stored not in (torch.float32, dtype):
            raise ValueError(
                f"this CLIP's matrices are stored in {stored} and cannot become {dtype} again: "
                f"load it anew to compute in {precision}"
            )
        for module in self.modules():
            if isinstance(module, (Linear, nn.Conv2d)):
                module.to(dtype)
        return self


def _image_tower(config: CLIPConfig) -> ImageTower | ResNet:
    if isinstance(config.image_layers, tuple):
        return ResNet(
            size=config.image_size,
            width=config.image_width,
            layers=config.image_layers,
            heads=config.image_heads,
            out=config.out,
        )
    return ImageTower(
        size=config.image_size,
        patch=config.patch,
        width=config.image_width,
        layers=config.image_layers,
        heads=config.image_heads,
        out=config.out,
        activation=config.activation,
    )
