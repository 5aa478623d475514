"""VPT: prompt tokens in every layer of the image tower, with a fixed sentence. (Jia et al. 2022, "deep")"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bmip.methods.ivlp import Independent, deep_image, released_names, released_sizes
from bmip.prompting import CLIP, ClassNames, Method, MethodSpec, Preset, Released, Shapes
from bmip.prompting.templates import PLAIN


@dataclass(frozen=True)
class Config:
    """The options of VPT."""

    slots: int = 8
    """Prompt tokens in each layer."""

    depth: int = 12
    """How many layers of the image tower get prompts, from the bottom."""

    template: str = PLAIN
    """The sentence for every data set, as in the released code."""


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """Deep image prompts. Raises ValueError for slots and a depth that do not fit the image tower."""
    return Method(prompter=Independent(config.template, image=deep_image(clip, config.slots, config.depth)))


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, depth = released_sizes(shapes, "image")
    return {"slots": slots, "depth": depth}


_SOURCE = "multimodal-prompt-learning, configs/trainers/VPT/vit_b16_c2_ep5_batch4_4.yaml"
_TRAINING = {"optimizer": "sgd", "lr": 0.0025, "epochs": 5, "batch": 4}

METHOD = MethodSpec(
    name="vpt",
    summary="VPT: deep prompt tokens in the image tower, with one fixed sentence. (Jia et al. 2022)",
    Config=Config,
    build=build,
    prompted=frozenset({"image"}),
    presets={"default": Preset(_SOURCE, training=_TRAINING), "released": Preset(_SOURCE, training=_TRAINING)},
    released=Released(
        folder="prompt_learner",
        names=lambda config, clip: released_names(1, config.depth),
        options=released_options,
        fixed=("template",),
    ),
)
