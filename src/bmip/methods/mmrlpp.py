"""MMRL++: MMRL whose maps share a matrix, and whose tokens keep a part of what the layer below made of them.

(Guo & Gu 2025; yunncheng/MMRL, trainers/mmrlpp.py). Its name in commands is `mmrlpp`, since + joins methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.mmrl import LARGE, TRAINING
from bmip.methods.mmrl.builder import check
from bmip.methods.mmrl.options import Config as PlainConfig
from bmip.methods.mmrl.options import Extra as PlainExtra
from bmip.methods.mmrl.prompter import MMRL, Maps
from bmip.methods.mmrl.read_out import Nearness, SlotReadOut
from bmip.prompting import (
    BOTH_TOWERS,
    CLIP,
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
    check_share,
    random_slots,
)


@dataclass(frozen=True)
class Extra(PlainExtra):
    """The options of what MMRL++ adds to prompts."""

    read_out_rank: int = 64
    """Rank of what the read-out's projection adds to CLIP's. (PROJ_LORA_DIM)"""


@dataclass(frozen=True)
class Config(Extra, PlainConfig):
    """The options of MMRL++."""

    rank: int = 4
    """Rank of what each layer's map adds to the matrix that all share. (RES_LORA_DIM)"""

    fresh: float = 0.9
    """How much of a layer's tokens is new, 0 to 1; the rest is what the layer below made of its own. (beta)"""


class SharedMaps(Maps):
    """One matrix for all layers, and for each layer a bias and a low-rank matrix, which starts at zero.

    Args:
        layers: how many layers.
        space: width of the tokens.
        width: width of the tower.
        rank: of the layers' own matrices.
    """

    def __init__(self, layers: int, space: int, width: int, rank: int) -> None:
        super().__init__()
        drawn = nn.Linear(space, width)
        self.weight = drawn.weight
        self.bias = nn.ParameterList(drawn.bias.detach().clone() for _ in range(layers))
        self.left = nn.ParameterList(_kaiming(width, rank) for _ in range(layers))
        self.right = nn.ParameterList(torch.zeros(rank, space) for _ in range(layers))

    def of(self, layer: int, tokens: Float[Tensor, "slot space"]) -> Float[Tensor, "slot width"]:
        own = tokens @ self.right[layer].T @ self.left[layer].T
        return F.linear(tokens, self.weight, self.bias[layer]) + own


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """MMRL++. Raises ValueError as MMRL does, and for a rank below 1."""
    check_positive(config, "rank")
    first = check(config, clip)
    start = random_slots(config.slots, config.width)
    widths = clip.text.width, clip.vit.width
    text, image = (SharedMaps(config.top, config.width, width, config.rank) for width in widths)
    return Method(prompter=MMRL(start, text, image, first=first, layers=config.top, fresh=config.fresh))


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """MMRL's loss term, and a read-out whose projection starts as CLIP's.

    Raises ValueError for a share outside 0 to 1, and for a rank below 1.
    """
    check_share(config, "read_out_share")
    check_positive(config, "read_out_rank")
    projection = clip.vit.projection
    factors = [_kaiming(clip.vit.width, config.read_out_rank), torch.zeros(config.read_out_rank, clip.config.out)]
    read_out = SlotReadOut(factors, config, projection.forward)
    return Extras(terms=[Nearness(config.nearness)], read_out=read_out)


def _kaiming(*shape: int) -> Tensor:
    """A matrix drawn as nn.Linear draws its weight."""
    return nn.init.kaiming_uniform_(torch.empty(shape), a=5**0.5)


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, width = shapes.of("representation_learner.compound_rep_tokens")
    _, rank = shapes.of("representation_learner.srra_r2vproj.srra.0.A")
    _, read_out_rank = shapes.of("image_encoder.A")
    top = shapes.count("representation_learner.srra_r2vproj.srra.{}.A")
    return {"slots": slots, "width": width, "top": top, "rank": rank, "read_out_rank": read_out_rank}


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    found: dict[str, str | Stored] = {
        "prompter.tokens": "representation_learner.compound_rep_tokens",
        "read_out.factors.0": "image_encoder.A",
        "read_out.factors.1": "image_encoder.B",
    }
    for ours, theirs in (("text", "srra_r2tproj"), ("image", "srra_r2vproj")):
        found[f"prompter.to_{ours}.weight"] = f"representation_learner.{theirs}.weight"
        for part, letter in (("left", "A"), ("right", "B"), ("bias", "bias")):
            for k in range(config.top):
                key = f"representation_learner.{theirs}.srra.{k}.{letter}"
                found[f"prompter.to_{ours}.{part}.{k}"] = key
    return found


RELEASED = Released(folder="MultiModalPromptLearner", strict=True, names=released_names, options=released_options)

_SOURCE = "yunncheng/MMRL, configs/trainers/MMRLpp and scripts/mmrlpp"

_CHOSEN = {
    "imagenet": (0.9, 0.2), "caltech101": (0.6, 3.0), "oxford_pets": (0.7, 0.01), "stanford_cars": (0.7, 6.0),
    "oxford_flowers": (0.4, 7.0), "food101": (0.1, 1.0), "fgvc_aircraft": (0.9, 2.0), "sun397": (0.5, 3.0),
    "dtd": (0.9, 7.0), "eurosat": (0.2, 0.01), "ucf101": (0.9, 3.0),
}  # fmt: skip
_TUNED = {
    data: Tuned({"fresh": fresh, "nearness": weight}, LARGE if data == "imagenet" else {})
    for data, (fresh, weight) in _CHOSEN.items()
}
"""What is chosen for each data set. (scripts/mmrlpp)"""

METHOD = MethodSpec(
    name="mmrlpp",
    summary="MMRL++: MMRL with shared maps, and tokens that keep a part of the layer below. (Guo & Gu 2025)",
    Config=Config,
    build=build,
    parts=frozenset({"read_out"}),
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(f"{_SOURCE}, base to novel; one rule for all classes (docs/fidelity.md)", training=TRAINING),
        "released": Preset(f"{_SOURCE}, base to novel", {"trained_classes_only": True}, TRAINING, by_data=_TUNED),
        "few-shot": Preset(
            f"{_SOURCE}, few shots",
            training={**TRAINING, "lr": 0.002, "epochs": 100, "batch": 32},
            by_data=_TUNED,
        ),
        "cross-dataset": Preset(
            f"{_SOURCE}, across data sets: on ImageNet; beta as in training for every target; one rule for all classes",
            {"nearness": 0.1},
            {**TRAINING, "epochs": 1, "batch": 32, "warmup_epochs": 0},
        ),
    },
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
