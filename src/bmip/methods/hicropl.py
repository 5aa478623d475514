"""HiCroPL: in lower layers the text prompts make the image prompts, in upper layers the other way. (Zheng et al. 2025)

(zzeoZheng/HiCroPL, trainers/hicropl.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import (
    CLIP,
    Adapter,
    ClassNames,
    DescribedClasses,
    Extras,
    FrozenImages,
    Given,
    Method,
    MethodSpec,
    Preset,
    Prompter,
    Prompts,
    Released,
    Shapes,
    Step,
    Stored,
    Teacher,
    Term,
    TextLayout,
    check_depth,
    check_slots,
    deep_slots,
    first_slots,
    quick_gelu,
    random_slots,
)


@dataclass(frozen=True)
class Extra:
    """The options of what HiCroPL adds to prompts."""

    distillation: float = 12.0
    """Weight of 1 - the mean cosine between the features and the frozen ones, for images and for classes. (LAMBD)"""

    sentences: str = ""
    """A JSON file of {class name: [sentence, ...]} for the frozen text tower; otherwise it reads neutral templates."""


@dataclass(frozen=True)
class Config(Extra):
    """The options of HiCroPL."""

    slots: int = 16
    """Prompt tokens in each tower."""

    depth: int = 12
    """How many layers of both towers get prompts, from the bottom."""

    top: int = 6
    """How many of these layers, from the top, pass prompts from the image tower to the text tower; the others pass them
    the other way."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `slots` it starts at random."""

    heads: int = 8
    """Attention heads of the networks."""

    written_back: bool = False
    """As in the released code, write the mapped prompts into the trained ones in every forward pass. Then the networks
    get no gradient, and every answer changes the next one."""


class Pooler(nn.Module):
    """One token that has read a layer's prompts: it starts as a trained one and attends to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.proxy = nn.Parameter(torch.randn(1, width))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, prompts: Float[Tensor, "slot width"]) -> Float[Tensor, "1 width"]:
        seen = self.ln_1(prompts)
        read, _ = self.attention(self.ln_1(self.proxy), seen, seen, need_weights=False)
        return self.ln_2(self.proxy + read)


class Mapper(nn.Module):
    """New prompts for one tower: its own attend to the pooled ones of the other tower, and pass a network.

    Where they attend to a single one, its key decides nothing, and there is no map for it.
    """

    def __init__(self, inward: int, width: int, heads: int, *, layers: int) -> None:
        super().__init__()
        self.q, self.v = nn.Linear(width, width), nn.Linear(inward, width)
        self.k = nn.Linear(inward, width) if layers > 1 else None
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(
        self, own: Float[Tensor, "row width"], other: Float[Tensor, "layer inward"]
    ) -> Float[Tensor, "row width"]:
        q, v = self.q(own), self.v(other)
        k = self.k(other) if self.k else v
        q = q + self.attention(self.ln_1(q), self.ln_1(k), self.ln_1(v), need_weights=False)[0]
        return q + self.down(quick_gelu(self.up(self.ln_2(q))))


class HiCroPL(Prompter):
    """Deep prompts in both towers; in lower layers the text's make the image's, in upper layers the other way.

    Args:
        text: what the text prompts start from, by layer.
        image: what the image prompts start from, by layer.
        template: the sentence around the class name; its first tokens are the slots.
        top: how many layers, from the top, pass prompts from image to text.
        heads: attention heads of the networks.
        written_back: whether the mapped prompts are written into the trained ones.
    """

    def __init__(
        self, text: Sequence[Tensor], image: Sequence[Tensor], template: str, *, top: int, heads: int,
        written_back: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.template, self.lower = template, len(text) - top
        self.text, self.image = nn.ParameterList(text), nn.ParameterList(image)
        text_width, image_width = text[0].shape[-1], image[0].shape[-1]
        self.text_poolers = nn.ModuleList(Pooler(text_width, heads) for _ in range(self.lower))
        self.image_poolers = nn.ModuleList(Pooler(image_width, heads) for _ in range(top))
        self.to_image = Mapper(text_width, image_width, heads, layers=self.lower)
        self.to_text = Mapper(image_width, text_width, heads, layers=top)
        self.changes_itself = written_back
        if written_back:
            self.dead = frozenset(name for name, _ in self.named_parameters() if name.split(".")[0] not in _PROMPTS)

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.text[0]))

    def forward(self, given: Given) -> Prompts:
        text, image = self._mapped()
        if self.changes_itself:
            with torch.no_grad():
                for own, new in ((self.text, text), (self.image, image)):
                    for parameter, value in zip(own, new, strict=True):
                        parameter.copy_(value)
            text, image = list(self.text), list(self.image)
        return Prompts(text=[prompt[None, None] for prompt in text], image=[prompt[None] for prompt in image])

    def _mapped(self) -> tuple[list[Tensor], list[Tensor]]:
        """The prompts of both towers, of which each layer has a mapped one in one tower."""
        text, image, lower = list(self.text), list(self.image), self.lower
        pooled_text = torch.cat([pool(own) for pool, own in zip(self.text_poolers, text[:lower], strict=True)])
        pooled_image = torch.cat([pool(own) for pool, own in zip(self.image_poolers, image[lower:], strict=True)])
        new_image = self.to_image(torch.cat(image[:lower]), pooled_text).chunk(lower)
        new_text = self.to_text(torch.cat(text[lower:]), pooled_image).chunk(len(text) - lower)
        return [*text[:lower], *new_text], [*new_image, *image[lower:]]


_PROMPTS = ("text", "image")


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """HiCroPL. Raises ValueError for options that do not fit the towers."""
    check_slots(config.slots, "text")
    check_depth(config.depth, min(len(clip.text.blocks), len(clip.vit.blocks)), "shallower")
    if not 0 < config.top < config.depth:
        raise ValueError(f"top {config.top} leaves no layer for one of the ways: choose 1 to {config.depth - 1}")
    for width in (clip.text.width, clip.vit.width):
        if width % config.heads:
            raise ValueError(f"{config.heads} heads do not divide the width {width}: choose another number of heads")
    template, start = first_slots(clip, config.context, config.slots)
    image = [random_slots(config.slots, clip.vit.width) for _ in range(config.depth)]
    prompter = HiCroPL(
        deep_slots(start, config.depth),
        image,
        template,
        top=config.top,
        heads=config.heads,
        written_back=config.written_back,
    )
    return Method(prompter=prompter)


class Ensemble(Adapter):
    """The normalised sum of the prompted and the frozen feature, for images and for classes."""

    def __init__(self, described: DescribedClasses) -> None:
        super().__init__()
        self.described = described

    def image(self, features: Tensor, frozen: FrozenImages) -> Tensor:
        return F.normalize(features, dim=-1) + frozen.features(0)

    def text(self, features: Tensor, teacher: Teacher) -> Tensor:
        return F.normalize(features, dim=-1) + self.described.features(teacher)


class Distillation(Term):
    """The weight times 1 - the mean cosine to the frozen features, for images and for classes."""

    def __init__(self, weight: float, described: DescribedClasses) -> None:
        super().__init__()
        self.weight, self.described = weight, described

    def forward(self, step: Step) -> dict[str, Tensor]:
        image = F.cosine_similarity(step.image_features, step.frozen_images.features(0), dim=-1)
        text = F.cosine_similarity(step.text_features, self.described.features(step.teacher), dim=-1)
        return {
            "image_distillation": self.weight * (1 - image.mean()),
            "text_distillation": self.weight * (1 - text.mean()),
        }


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """HiCroPL's loss term, and its features as sums of prompted and frozen ones."""
    described = DescribedClasses(config.sentences)
    return Extras(terms=[Distillation(config.distillation, described)], adapter=Ensemble(described))


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    learner = "prompt_learner."
    found: dict[str, str | Stored] = {
        "prompter.text.0": f"{learner}ctx",
        "prompter.text": f"{learner}cross_prompts_text",
        "prompter.image": f"{learner}cross_prompts_visual",
    }
    for tower, theirs, layers in (("text", "text", config.depth - config.top), ("image", "visual", config.top)):
        for k in range(layers):
            pooler = f"{learner}attn_pooling_{theirs}_nets.{k}"
            found[f"prompter.{tower}_poolers.{k}"] = pooler
            found[f"prompter.{tower}_poolers.{k}.attention"] = f"{pooler}.attn"
            found[f"prompter.{tower}_poolers.{k}.proxy"] = f"{learner}{theirs}_proxy_token.{k}"
    parts = {
        "q": "linear_q",
        "k": "linear_k",
        "v": "linear_v",
        "attention": "attn",
        "up": "ffn.c_fc",
        "down": "ffn.c_proj",
    }
    for ours, theirs in (("to_image", "text2visual_net"), ("to_text", "visual2text_net")):
        found[f"prompter.{ours}"] = f"{learner}{theirs}"
        found |= {f"prompter.{ours}.{part}": f"{learner}{theirs}.{name}" for part, name in parts.items()}
    return found


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, _ = shapes.of("prompt_learner.ctx")
    depth = shapes.count("prompt_learner.cross_prompts_visual.{}")
    return {"slots": slots, "depth": depth, "top": shapes.count("prompt_learner.visual_proxy_token.{}")}


RELEASED = Released(
    folder="VLPromptLearner",
    names=released_names,
    options=released_options,
    unused=(
        "prompt_learner.cross_prompts_text.0",  # the same as ctx
        "prompt_learner.*_net.linear_k.*",  # where a single layer is read
    ),
    teachers=("prompt_learner.ZS_image_encoder.",),
    fixed=("heads", "written_back"),
)

_SOURCE = "zzeoZheng/HiCroPL, configs/trainers/HiCroPL, base to novel and few shots"
_TRAINING = {"optimizer": "adam", "eps": 1e-3, "lr": 0.0025, "epochs": 50, "batch": 32}

METHOD = MethodSpec(
    name="hicropl",
    summary="HiCroPL: text prompts make image prompts below, and the other way above. (Zheng et al. 2025, ICCV)",
    Config=Config,
    build=build,
    parts=frozenset({"adapter"}),
    image_prompts=True,
    presets={
        "default": Preset(f"{_SOURCE}; with the gradient that the paper describes", training=_TRAINING),
        "released": Preset(_SOURCE, {"written_back": True}, _TRAINING),
        "cross-dataset": Preset(
            "zzeoZheng/HiCroPL, configs/trainers/HiCroPL, across data sets; with the gradient",
            {"slots": 2, "depth": 6, "top": 1},
            {**_TRAINING, "epochs": 5},
        ),
    },
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
