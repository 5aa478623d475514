"""CLIP: an image tower, a text tower and a scale. It is frozen once it is loaded, and it knows no method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.block import Activation
from bmip.clip.feature_memory import FeatureMemory
from bmip.clip.image import ImageTower
from bmip.clip.linear import Linear
from bmip.clip.precision import Precision
from bmip.clip.prompts import Prompt
from bmip.clip.resnet import ResNet, Stages
from bmip.clip.text import TextTower
from bmip.clip.text_layout import TextLayout
from bmip.clip.texts import ClassTexts, class_texts
from bmip.clip.tokenizer import Tokenizer


@dataclass(frozen=True)
class CLIPConfig:
    """The sizes of a CLIP. The image tower is a ResNet where `image_layers` has four numbers, else a ViT."""

    image_size: int
    """Side of the square images, in pixels."""

    patch: int
    """Side of the square that becomes a token; in a ResNet 32, one cell of its last grid."""

    image_width: int
    """Channels of a ViT's tokens, or of a ResNet's first stage."""

    image_layers: int | Stages
    """Blocks of a ViT, or the blocks in each of the four stages of a ResNet."""

    image_heads: int
    """Attention heads of a ViT's blocks, or of the attention at the end of a ResNet."""

    text_width: int
    """Channels of a text token."""

    text_layers: int
    """Blocks of the text tower."""

    text_heads: int
    """Attention heads of the text tower's blocks."""

    context: int
    """Tokens of the longest sentence, the start and end tokens included."""

    vocabulary: int
    """Number of tokens that the tokeniser knows."""

    out: int
    """Channels of the features, the same for images and texts."""

    activation: Activation = "quick_gelu"
    """Activation in the blocks of the transformers; a ResNet has ReLU."""

    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    """Mean of each colour, of pixels in 0..1, by which images are normalised."""

    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    """Standard deviation of each colour, by which images are normalised."""


class CLIP(nn.Module):
    """A CLIP whose weights are not yet set; `load_clip` fills one."""

    source: str = ""
    """Where the weights were loaded from, as `load_clip` was told."""

    revision: str = ""
    """The commit of the repository on the hub that the weights are from; empty where they are from elsewhere."""

    sha256: str = ""
    """The hash of the weights as they were loaded, in float32. It is the same for every file of the same weights."""

    memory: FeatureMemory | None = None
    """Remembers features of images without prompts, where somebody evaluates the same images several times."""

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
    def state(self) -> tuple[torch.device, torch.dtype]:
        """Where and in which type it computes. What was computed in another state is out of date."""
        return self.device, self.text.projection.weight.dtype

    @property
    def scale(self) -> Float[Tensor, ""]:
        """What the cosines are multiplied by to give logits; the exponential of the stored `logit_scale`."""
        return self.logit_scale.exp()

    @property
    def vit(self) -> ImageTower:
        """The image tower as a ViT, which prompts can enter. A method takes image widths and depths from here.

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
        """Features before they are normalised, of pixels that are normalised by the configuration's `mean` and `std`.

        Raises ValueError for images of another size, and for prompts where the tower is a ResNet.
        """
        self._check_size(pixels)
        return self.vit(pixels, prompts) if prompts else self.image(pixels)

    def read_image(
        self, pixels: Float[Tensor, "image 3 size size"], prompts: Sequence[Prompt]
    ) -> tuple[Float[Tensor, "image out"], Float[Tensor, "image slot width"]]:
        """What `encode_image` gives, and beside it what stands in the slots above the last layer.

        Raises ValueError as `encode_image` does.
        """
        self._check_size(pixels)
        return self.vit.read(pixels, prompts)

    def _check_size(self, pixels: Tensor) -> None:
        size = (self.config.image_size, self.config.image_size)
        if pixels.shape[-2:] != size:
            raise ValueError(f"images are {tuple(pixels.shape[-2:])}; this tower takes {size} pixels")

    def encode_text(self, texts: ClassTexts, prompts: Sequence[Prompt] = ()) -> Float[Tensor, "image class out"]:
        """Features before they are normalised; the first axis is 1 unless a prompt differs between images."""
        return self.text(texts, prompts)

    def texts(self, names: Sequence[str], layout: TextLayout) -> ClassTexts:
        """The sentences of these class names as tokens. Raises ValueError for a sentence that is too long."""
        return class_texts(names, layout, self.tokenizer, self.config.context).to(self.device)

    def set_precision(self, precision: Precision) -> CLIP:
        """Store the matrices in the type of computation; norms and embeddings stay in float32. Returns this CLIP.

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
        if self.memory is not None and stored != dtype:
            self.memory.forget()
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
