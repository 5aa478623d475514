"""CLIP-Adapter: a small network behind the image tower, whose output is mixed into the feature. (Gao et al. 2024)

(gaopengcuhk/CLIP-Adapter, clip_adapter.py)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from bmip.methods.zero_shot import ZeroShot
from bmip.prompting import CLIP, Adapter, ClassNames, Extras, FrozenImages, Method, MethodSpec, Preset, Released, Shapes


@dataclass(frozen=True)
class Extra:
    """The options of what CLIP-Adapter adds to prompts."""

    adapted_share: float = 0.2
    """How much of the network's output is in the image feature, 0 to 1. (ratio)"""

    narrowing: int = 4
    """How many times narrower than the feature the network is inside. (reduction)"""


@dataclass(frozen=True)
class Config(Extra):
    """The options of CLIP-Adapter."""


class ImageAdapter(Adapter):
    """Two linear maps, each with a ReLU behind it; their output is mixed into the image feature."""

    def __init__(self, width: int, config: Extra) -> None:
        super().__init__()
        inner = max(1, width // config.narrowing)
        self.share = config.adapted_share
        self.narrow, self.widen = nn.Linear(width, inner, bias=False), nn.Linear(inner, width, bias=False)

    def image(self, features: Tensor, frozen: FrozenImages) -> Tensor:
        return (1 - self.share) * features + self.share * F.relu(self.widen(F.relu(self.narrow(features))))


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """The data set's own sentence, without prompts."""
    return Method(prompter=ZeroShot((), with_own=True))


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """CLIP-Adapter's network. Raises ValueError for a narrowing below 1."""
    if config.narrowing < 1:
        raise ValueError(f"narrowing {config.narrowing}: the network inside needs at least 1")
    return Extras(adapter=ImageAdapter(clip.config.out, config))


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    inner, out = shapes.of("adapter.fc.0.weight")
    return {"narrowing": out // inner}


RELEASED = Released(
    folder="clip_adapter",
    part="adapter",
    names=lambda config, clip: {"adapter.narrow": "adapter.fc.0", "adapter.widen": "adapter.fc.2"},
    options=released_options,
    fixed=("adapted_share", "narrowing"),
)

_SOURCE = "gaopengcuhk/CLIP-Adapter, clip_adapter.py; it has no settings of its own, these are CoOp's"
_TRAINING = {"optimizer": "sgd", "lr": 0.002, "epochs": 200, "batch": 32}

METHOD = MethodSpec(
    name="clip_adapter",
    summary="CLIP-Adapter: a small network behind the image tower, mixed into the feature. (Gao et al. 2024, IJCV)",
    Config=Config,
    build=build,
    parts=frozenset({"adapter"}),
    prompted=frozenset(),
    adapted=frozenset({"image"}),
    presets={"default": Preset(_SOURCE, training=_TRAINING), "released": Preset(_SOURCE, training=_TRAINING)},
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
