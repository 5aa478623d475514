"""MaPLe: deep text prompts, and image prompts that are linear maps of them. (Khattak et al. 2023, section 3.2)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import (
    BOTH_TOWERS,
    CLIP,
    ClassNames,
    Given,
    Method,
    MethodSpec,
    Preset,
    Prompter,
    Prompts,
    Released,
    Shapes,
    Stored,
    TextLayout,
    check_depth,
    check_slots,
    deep_slots,
    first_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of MaPLe."""

    slots: int = 2
    """Prompt tokens in each tower."""

    depth: int = 9
    """How many layers of both towers get prompts, from the bottom."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `slots` it starts at random."""


class MaPLe(Prompter):
    """Deep text prompts, and a linear map for each layer that makes the image prompt of it.

    Args:
        start: what the first text prompt starts from; the others start at random.
        template: the sentence around the class name; its first tokens are the slots.
        image_width: width of the image tower.
        depth: how many layers of both towers get prompts.
    """

    def __init__(self, start: Float[Tensor, "slot width"], template: str, *, image_width: int, depth: int) -> None:
        super().__init__()
        self.template = template
        self.text = nn.ParameterList(deep_slots(start, depth))
        self.to_image = nn.ModuleList(nn.Linear(start.shape[-1], image_width) for _ in range(depth))
        for deeper in list(self.to_image)[2:]:
            deeper.load_state_dict(self.to_image[1].state_dict())  # as released, copies of one draw

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.text[0]))

    def forward(self, given: Given) -> Prompts:
        return Prompts(
            text=[p[None, None] for p in self.text],
            image=[to_image(p)[None] for to_image, p in zip(self.to_image, self.text, strict=True)],
        )


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """MaPLe. Raises ValueError for fewer than one slot, and for a depth that does not fit both towers."""
    check_slots(config.slots, "text")
    check_depth(config.depth, min(len(clip.text.blocks), len(clip.vit.blocks)), "shallower")
    template, start = first_slots(clip, config.context, config.slots)
    return Method(prompter=MaPLe(start, template, image_width=clip.vit.width, depth=config.depth))


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    deeper = range(1, config.depth)
    return {
        "prompter.text.0": "prompt_learner.ctx",
        "prompter.to_image.0": "prompt_learner.proj",
        **{f"prompter.text.{i}": f"prompt_learner.compound_prompts_text.{i - 1}" for i in deeper},
        **{f"prompter.to_image.{i}": f"prompt_learner.compound_prompt_projections.{i - 1}" for i in deeper},
    }


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, _ = shapes.of("prompt_learner.ctx")
    return {"slots": slots, "depth": 1 + shapes.count("prompt_learner.compound_prompts_text.{}")}


RELEASED = Released(folder="MultiModalPromptLearner", names=released_names, options=released_options)

_TRAINING = {"optimizer": "sgd", "lr": 0.0035, "epochs": 5, "batch": 4}
_SOURCE = "multimodal-prompt-learning, configs/trainers/MaPLe/vit_b16_c2_ep5_batch4_2ctx.yaml"

METHOD = MethodSpec(
    name="maple",
    summary="MaPLe: deep text prompts, and image prompts that are linear maps of them. (Khattak et al. 2023, CVPR)",
    Config=Config,
    build=build,
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(_SOURCE, training=_TRAINING),
        "released": Preset(_SOURCE, training=_TRAINING),
        "cross-dataset": Preset(
            "multimodal-prompt-learning, configs/trainers/MaPLe/vit_b16_c2_ep5_batch4_2ctx_cross_datasets.yaml",
            options={"depth": 3},
            training={**_TRAINING, "lr": 0.0026, "epochs": 2},
        ),
    },
    released=RELEASED,
)
