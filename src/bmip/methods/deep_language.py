"""Deep language prompting: prompt tokens in every layer of the text tower alone. (MaPLe, section 4.1)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bmip.methods.ivlp import Independent, deep_text, released_names, released_sizes
from bmip.prompting import CLIP, ClassNames, Method, MethodSpec, Preset, Released, Shapes


@dataclass(frozen=True)
class Config:
    """The options of deep language prompting."""

    slots: int = 4
    """Prompt tokens in each layer."""

    depth: int = 12
    """How many layers of the text tower get prompts, from the bottom."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `slots` it starts at random."""


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """Deep text prompts. Raises ValueError for slots and a depth that do not fit the text tower."""
    return Method(prompter=Independent(*deep_text(clip, config.context, config.slots, config.depth)))


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, depth = released_sizes(shapes, "text")
    return {"slots": slots, "depth": depth}


_SOURCE = "multimodal-prompt-learning, configs/trainers/IVLP/vit_b16_c2_ep5_batch4_language_only.yaml"
_TRAINING = {"optimizer": "sgd", "lr": 0.0025, "epochs": 5, "batch": 4}

METHOD = MethodSpec(
    name="deep_language",
    summary="Deep language prompting: prompt tokens in every layer of the text tower alone. (MaPLe, section 4.1)",
    Config=Config,
    build=build,
    presets={"default": Preset(_SOURCE, training=_TRAINING), "released": Preset(_SOURCE, training=_TRAINING)},
    released=Released(
        folder="VLPromptLearner",
        names=lambda config, clip: released_names(config.depth, 1),
        options=released_options,
    ),
)
