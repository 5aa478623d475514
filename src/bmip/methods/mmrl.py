"""MMRL: tokens of one space enter the upper layers of both towers, and a read-out of theirs adds logits.

(Guo & Gu 2025, CVPR; yunncheng/MMRL, trainers/mmrl.py)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import (
    CLIP,
    ClassNames,
    Extras,
    Given,
    LayerView,
    Method,
    MethodSpec,
    Preset,
    Prompt,
    Prompter,
    Prompts,
    ReadOut,
    Released,
    Shapes,
    Step,
    Term,
    TextLayout,
    Tuned,
    check_slots,
    check_top,
    random_slots,
)


@dataclass(frozen=True)
class Extra:
    """The options of what MMRL adds to prompts."""

    read_out_share: float = 0.3
    """The weight of the read-out's logits beside those of the class token, 0 to 1. (1 - alpha)"""

    nearness: float = 1.0
    """Weight of 1 - the mean cosine between the features and the frozen ones, for images and for classes. (w)"""

    trained_classes_only: bool = False
    """As in the released code, let the read-out count only where the classes asked about are those of training."""


@dataclass(frozen=True)
class Config(Extra):
    """The options of MMRL."""

    slots: int = 5
    """Tokens in each tower. (N_REP_TOKENS)"""

    width: int = 512
    """Width of the space that the tokens are trained in. (REP_DIM)"""

    top: int = 7
    """How many layers of both towers get the tokens, from the top: 7 are the sixth to the twelfth of 12."""


class Maps(nn.Module, ABC):
    """For each layer a linear map from the tokens' space to a tower's width."""

    @abstractmethod
    def of(self, layer: int, tokens: Float[Tensor, "slot space"]) -> Float[Tensor, "slot width"]:
        """The tokens under the map of a layer, counted from the first that has one."""


class OwnMaps(Maps):
    """Maps that start as copies of one draw and are then trained apart."""

    def __init__(self, layers: int, space: int, width: int) -> None:
        super().__init__()
        self.each = nn.ModuleList(nn.Linear(space, width) for _ in range(layers))
        for other in self.each[1:]:
            other.load_state_dict(self.each[0].state_dict())

    def of(self, layer: int, tokens: Float[Tensor, "slot space"]) -> Float[Tensor, "slot width"]:
        return self.each[layer](tokens)


class MMRL(Prompter):
    """Tokens of one space, and linear maps to each tower for each upper layer.

    Args:
        start: what the tokens start from.
        text: the maps for the text tower.
        image: the maps for the image tower.
        first: the first layer that the tokens enter in the text tower and in the image tower, counted from 0.
        layers: how many layers they enter.
        fresh: how much of a layer's tokens is new, 0 to 1; the rest is what the layer below made of its own.
    """

    def __init__(
        self, start: Float[Tensor, "slot space"], text: Maps, image: Maps, *,
        first: tuple[int, int], layers: int, fresh: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tokens, self.to_text, self.to_image = nn.Parameter(start), text, image
        self.first, self.layers, self.fresh = first, layers, fresh

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(classes.template, slots=len(self.tokens), inserted=True)

    def forward(self, given: Given) -> Prompts:
        both = self.to_text, self.to_image
        text, image = ([maps.of(k, self.tokens)[None] for k in range(self.layers)] for maps in both)
        below_text, below_image = ([None] * first for first in self.first)
        return Prompts(
            text=[*below_text, *self._mixed([prompt[None] for prompt in text])],
            image=[*below_image, *self._mixed(image)],
        )

    def _mixed(self, new: list[Tensor]) -> list[Prompt]:
        if self.fresh == 1:
            return [*new]
        return [new[0], *(partial(self._with_old, prompt) for prompt in new[1:])]

    def _with_old(self, new: Tensor, view: LayerView) -> Tensor:
        return self.fresh * new + (1 - self.fresh) * view.slots()


def check(config: Config, clip: CLIP) -> tuple[int, int]:
    """The first layer that tokens enter in the text tower and in the image tower.

    Raises ValueError for fewer than one slot, and for more layers than the towers have.
    """
    check_slots(config.slots, "text")
    layers = len(clip.text.blocks), len(clip.vit.blocks)
    check_top(config.top, min(layers), "shallower")
    return layers[0] - config.top, layers[1] - config.top


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """MMRL. Raises ValueError as `check` does."""
    first = check(config, clip)
    start = random_slots(config.slots, config.width)
    text, image = (OwnMaps(config.top, config.width, width) for width in (clip.text.width, clip.vit.width))
    return Method(prompter=MMRL(start, text, image, first=first, layers=config.top))


class SlotReadOut(ReadOut):
    """The mean of the slots through a trained projection, which is added to a frozen one if there is one.

    Args:
        factors: matrices whose product is the trained projection.
        config: says how the logits are mixed.
        frozen: CLIP's own projection.
    """

    def __init__(
        self, factors: Sequence[Tensor], config: Extra, frozen: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.factors, self.frozen = nn.ParameterList(factors), frozen
        self.share, self.trained_classes_only = config.read_out_share, config.trained_classes_only

    def forward(self, slots: Float[Tensor, "image slot width"]) -> Float[Tensor, "image out"]:
        mean = slots.mean(1)
        found = mean
        for factor in self.factors:
            found = found @ factor
        return found + self.frozen(mean) if self.frozen else found


class Nearness(Term):
    """The weight times 1 - the mean cosine to the frozen features, for images and for classes."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        frozen = step.teacher.text_features([step.teacher.classes.template])
        image = F.cosine_similarity(step.image_features, step.frozen_images.features(0), dim=-1)
        text = F.cosine_similarity(step.text_features, frozen, dim=-1)
        return {"image_nearness": self.weight * (1 - image.mean()), "text_nearness": self.weight * (1 - text.mean())}


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """MMRL's read-out, with a projection that starts at random, and its loss term."""
    width = clip.vit.width
    projection = torch.randn(width, clip.config.out) / width**0.5
    return Extras(terms=[Nearness(config.nearness)], read_out=SlotReadOut([projection], config))


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, width = shapes.of("representation_learner.compound_rep_tokens")
    top = shapes.count("representation_learner.compound_rep_tokens_r2vproj.{}.weight")
    return {"slots": slots, "width": width, "top": top}


RELEASED = Released(
    folder="MultiModalPromptLearner",
    strict=True,
    names=lambda config, clip: {
        "prompter.tokens": "representation_learner.compound_rep_tokens",
        "prompter.to_text.each": "representation_learner.compound_rep_tokens_r2tproj",
        "prompter.to_image.each": "representation_learner.compound_rep_tokens_r2vproj",
        "read_out.factors.0": "image_encoder.proj_rep",
    },
    options=released_options,
)

_SOURCE = "yunncheng/MMRL, configs/trainers/MMRL and scripts/mmrl"
TRAINING = {"optimizer": "adamw", "lr": 0.001, "epochs": 10, "batch": 4}

_NEARNESS = {
    "imagenet": 0.5, "caltech101": 0.5, "oxford_pets": 0.2, "stanford_cars": 7.0, "oxford_flowers": 4.0,
    "food101": 5.0, "fgvc_aircraft": 6.0, "sun397": 6.0, "dtd": 6.0, "eurosat": 0.01, "ucf101": 3.0,
}  # fmt: skip
LARGE = {"epochs": 5, "batch": 32}
_TUNED = {
    **{data: Tuned({"nearness": weight}) for data, weight in _NEARNESS.items()},
    "imagenet": Tuned({"nearness": _NEARNESS["imagenet"]}, LARGE),
    "eurosat": Tuned({"nearness": _NEARNESS["eurosat"], "width": 2048}),
}
"""What is chosen for each data set. (scripts/mmrl/base2new_train.sh)"""

METHOD = MethodSpec(
    name="mmrl",
    summary="MMRL: tokens of one space in the upper layers of both towers, read out beside CLIP. (Guo & Gu 2025, CVPR)",
    Config=Config,
    build=build,
    parts=frozenset({"read_out"}),
    image_prompts=True,
    presets={
        "default": Preset(f"{_SOURCE}, base to novel; one rule for all classes (docs/fidelity.md)", training=TRAINING),
        "released": Preset(f"{_SOURCE}, base to novel", {"trained_classes_only": True}, TRAINING, by_data=_TUNED),
        "few-shot": Preset(f"{_SOURCE}, few shots", training={**TRAINING, "epochs": 50, "batch": 32}, by_data=_TUNED),
        "cross-dataset": Preset(
            f"{_SOURCE}, across data sets: 1 epoch without warm-up on ImageNet; one rule for all classes",
            {"nearness": 0.2},
            {**TRAINING, "epochs": 1, "batch": 32, "warmup_epochs": 0},
        ),
    },
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
