"""MMA: adapters beside the upper blocks of both towers, which share their middle map. (Yang et al. 2024, CVPR)

(ZjjConan/Multi-Modal-Adapter, trainers/mma.py)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.zero_shot import ZeroShot
from bmip.prompting import (
    BOTH_TOWERS,
    CLIP,
    Changes,
    ClassNames,
    Extras,
    Method,
    MethodSpec,
    Preset,
    Released,
    Shapes,
    Stored,
    Tuned,
    check_positive,
    check_top,
)
from bmip.prompting.templates import PLAIN


@dataclass(frozen=True)
class Extra:
    """The options of what MMA adds to prompts."""

    adapter_top: int = 8
    """How many layers of both towers get adapters, from the top: 8 are the fifth to the twelfth of 12."""

    adapter_width: int = 32
    """Width inside the adapters. (ADAPTER_DIM)"""

    adapter_scale: float = 0.001
    """Factor of what the adapters add. Their gradients are divided by it."""


@dataclass(frozen=True)
class Config(Extra):
    """The options of MMA."""


class _Steeper(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a factor."""

    @staticmethod
    def forward(ctx, x: Tensor, factor: float) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return grad * ctx.factor, None


class Bypass(nn.Module):
    """scale * up(relu(shared(relu(down(x))))), whose parameters get the gradient that they had without the scale.

    What x gets is the true gradient.
    """

    def __init__(self, maps: Sequence[nn.Module], scale: float) -> None:
        super().__init__()
        self.maps, self.scale = nn.ModuleList(maps), scale

    def forward(self, x: Float[Tensor, "*lead width"]) -> Float[Tensor, "*lead width"]:
        down, shared, up = self.maps
        x = _Steeper.apply(x, self.scale)  # pyright: ignore[reportAssignmentType]
        return _Steeper.apply(self.scale * up(F.relu(shared(F.relu(down(x))))), 1 / self.scale)  # pyright: ignore[reportReturnType]


class Adapters(Changes):
    """An adapter beside each upper block of both towers; the two of a layer have one map in common."""

    def __init__(self, config: Extra, clip: CLIP) -> None:
        super().__init__()
        self.scale = config.adapter_scale
        top, inner = config.adapter_top, config.adapter_width
        towers = {"text": clip.text, "image": clip.vit}
        self.layers = {name: range(len(tower.blocks))[-top:] for name, tower in towers.items()}
        self.shared = nn.ModuleList(_linear(inner, inner) for _ in range(top))
        self.down, self.up = nn.ModuleDict(), nn.ModuleDict()
        for name, tower in towers.items():
            self.down[name] = nn.ModuleList(_linear(tower.width, inner) for _ in range(top))
            self.up[name] = nn.ModuleList(_linear(inner, tower.width) for _ in range(top))

    def around(self, clip: CLIP) -> Mapping[str, nn.Module]:
        return {
            f"{name}.blocks.{layer}.beside": Bypass([down, shared, up], self.scale)
            for name, layers in self.layers.items()
            for layer, down, shared, up in zip(layers, self.down[name], self.shared, self.up[name], strict=True)  # pyright: ignore[reportArgumentType]
        }


def _linear(inward: int, outward: int) -> nn.Linear:
    """As released: weights drawn for a ReLU by the outgoing channels, no bias at the start."""
    found = nn.Linear(inward, outward)
    nn.init.kaiming_normal_(found.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(found.bias)
    return found


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """A plain sentence without prompts."""
    return Method(prompter=ZeroShot([PLAIN], with_own=False))


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """MMA's adapters. Raises ValueError for more layers than the towers have, a width below 1, and a scale that is not
    positive.
    """
    check_positive(config, "adapter_width")
    check_top(config.adapter_top, min(len(clip.text.blocks), len(clip.vit.blocks)), "shallower")
    if not config.adapter_scale > 0:
        raise ValueError(f"adapter_scale {config.adapter_scale} must be positive, since gradients are divided by it")
    return Extras(changes=Adapters(config, clip))


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    first = min(len(clip.text.blocks), len(clip.vit.blocks)) - config.adapter_top + 1  # layers count from 1 there
    found: dict[str, str | Stored] = {}
    for k in range(config.adapter_top):
        found[f"changes.shared.{k}"] = f"adapter_learner.shared_adapter.{first + k}.0"
        for ours, theirs in (("text", "text_adapter"), ("image", "visual_adapter")):
            found[f"changes.down.{ours}.{k}"] = f"adapter_learner.{theirs}.{first + k}.down.0"
            found[f"changes.up.{ours}.{k}"] = f"adapter_learner.{theirs}.{first + k}.up"
    return found


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    top = shapes.count("adapter_learner.text_adapter.{}.up.weight")
    widths = shapes.first("adapter_learner.text_adapter.{}.up.weight")
    return {"adapter_top": top, "adapter_width": widths[-1]}


RELEASED = Released(folder="adapter_learner", part="adapter_learner", names=released_names, options=released_options)

_SOURCE = "ZjjConan/Multi-Modal-Adapter, configs/trainers/MMA"
_TRAINING = {"optimizer": "sgd", "lr": 0.0015, "epochs": 5, "batch": 16, "warmup_epochs": 0}
_LARGE = {"batch": 128}

METHOD = MethodSpec(
    name="mma",
    summary="MMA: adapters beside the upper blocks of both towers, joined in the middle. (Yang et al. 2024, CVPR)",
    Config=Config,
    build=build,
    parts=frozenset({"changes"}),
    prompted=frozenset(),
    adapted=BOTH_TOWERS,
    presets={
        "default": Preset(_SOURCE, training=_TRAINING),
        "released": Preset(_SOURCE, training=_TRAINING, by_data={"imagenet": Tuned(training=_LARGE)}),
        "cross-dataset": Preset(f"{_SOURCE}: on ImageNet", training={**_TRAINING, **_LARGE}),
    },
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
