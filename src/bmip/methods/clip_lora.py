"""CLIP-LoRA: low-rank differences to the matrices of the attention, in both towers. (Zanella & Ben Ayed 2024, CVPRW)

(MaxZanella/CLIP-LoRA, loralib and lora.py)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from bmip.methods.zero_shot import ZeroShot
from bmip.prompting import (
    BOTH_TOWERS,
    CLIP,
    Changes,
    ClassNames,
    Extras,
    LowRank,
    LowRankLinear,
    Method,
    MethodSpec,
    Preset,
    Released,
    Shapes,
    Stored,
)
from bmip.prompting.templates import PLAIN


@dataclass(frozen=True)
class Extra:
    """The options of what CLIP-LoRA adds to prompts."""

    lora_rank: int = 2
    """Rank of the difference to each matrix. (r)"""

    lora_alpha: float = 1.0
    """The differences are multiplied by this, divided by the square root of the rank."""

    lora_dropout: float = 0.25
    """The share of the channels that the differences do not see in a training step."""

    lora_towers: Literal["both", "text", "image"] = "both"
    """Which towers are changed."""


@dataclass(frozen=True)
class Config(Extra):
    """The options of CLIP-LoRA."""


class AttentionDifferences(Changes):
    """Low-rank differences to the matrices of queries, keys and values, in every layer."""

    def __init__(self, config: Extra, clip: CLIP) -> None:
        super().__init__()
        scale = config.lora_alpha / config.lora_rank**0.5
        self.differences = nn.ModuleDict()
        for place, width in _places(clip, config.lora_towers):
            own = [LowRank(width, width, config.lora_rank, scale=scale, dropout=config.lora_dropout) for _ in range(3)]
            self.differences[place.replace(".", "-")] = nn.ModuleList(own)

    def around(self, clip: CLIP) -> Mapping[str, nn.Module]:
        places = {name: name.replace("-", ".") for name in self.differences}
        return {
            place: LowRankLinear(clip.get_submodule(place), [*self.differences[name]])  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
            for name, place in places.items()
        }


def _places(clip: CLIP, towers: Literal["both", "text", "image"]) -> Iterator[tuple[str, int]]:
    """The names of the attention's matrices in the CLIP, and their widths."""
    for tower in ("text", "image"):
        if towers in ("both", tower):
            own = clip.text if tower == "text" else clip.vit
            yield from ((f"{tower}.blocks.{layer}.qkv", own.width) for layer in range(len(own.blocks)))


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """A plain sentence without prompts."""
    return Method(prompter=ZeroShot([PLAIN], with_own=False))


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """CLIP-LoRA's differences. Raises ValueError for a rank below 1, and for a dropout outside 0 to 1."""
    if config.lora_rank < 1:
        raise ValueError(f"lora_rank {config.lora_rank}: the differences need at least rank 1")
    if not 0 <= config.lora_dropout < 1:
        raise ValueError(f"lora_dropout {config.lora_dropout}: choose 0 or more, and less than 1")
    return Extras(changes=AttentionDifferences(config, clip))


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter. Layers are counted through both towers."""
    found: dict[str, str | Stored] = {}
    for layer, (place, _) in enumerate(_places(clip, config.lora_towers)):
        for part, letter in enumerate("qkv"):
            ours = f"changes.differences.{place.replace('.', '-')}.{part}"
            found[f"{ours}.down"] = f"weights.layer_{layer}.{letter}_proj.w_lora_A"
            found[f"{ours}.up"] = f"weights.layer_{layer}.{letter}_proj.w_lora_B"
    return found


_ENCODERS = {"both": "both", "text": "text", "image": "vision"}


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    rank, _ = shapes.first("weights.layer_{}.q_proj.w_lora_A")
    towers = {theirs: ours for ours, theirs in _ENCODERS.items()}.get(shapes.said.get("metadata.encoder", ""))
    alpha = shapes.said.get("metadata.alpha")
    return {
        "lora_rank": rank,
        **({"lora_alpha": float(alpha)} if isinstance(alpha, int | float) else {}),
        **({"lora_towers": towers} if towers else {}),
    }


def released_metadata(config: Config) -> dict[str, Any]:
    """What stands beside the tensors in a released checkpoint."""
    alpha = int(config.lora_alpha) if config.lora_alpha == int(config.lora_alpha) else config.lora_alpha
    told = {"r": config.lora_rank, "alpha": alpha, "encoder": _ENCODERS[config.lora_towers]}
    return {"metadata": {**told, "params": ["q", "k", "v"], "position": "all"}}


RELEASED = Released(file="lora_weights.pt", names=released_names, options=released_options, said=released_metadata)

_SOURCE = "MaxZanella/CLIP-LoRA, README and run_utils.py: 500 steps for each shot"
_TRAINING = {
    "optimizer": "adamw", "lr": 2e-4, "weight_decay": 0.01, "steps_per_shot": 500, "batch": 32, "warmup_epochs": 0,
    "schedule": "step", "final_lr": 1e-6,
}  # fmt: skip

METHOD = MethodSpec(
    name="clip_lora",
    summary="CLIP-LoRA: low-rank differences to the attention's matrices in both towers. (Zanella & Ben Ayed 2024)",
    Config=Config,
    build=build,
    parts=frozenset({"changes"}),
    prompted=frozenset(),
    adapted=BOTH_TOWERS,
    presets={"default": Preset(_SOURCE, training=_TRAINING), "released": Preset(_SOURCE, training=_TRAINING)},
    Extra=Extra,
    extras=extras,
    released=RELEASED,
)
