"""Independent vision-language prompting: deep prompts in both towers that know nothing of each other.

(Khattak et al. 2023, MaPLe, section 4.1; multimodal-prompt-learning, trainers/independentVL.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

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
    random_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of IVLP."""

    text_slots: int = 2
    """Prompt tokens in each layer of the text tower."""

    image_slots: int = 2
    """Prompt tokens in each layer of the image tower."""

    text_depth: int = 12
    """How many layers of the text tower get prompts, from the bottom."""

    image_depth: int = 12
    """How many layers of the image tower get prompts, from the bottom."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `text_slots` it starts at random."""


class Independent(Prompter):
    """Deep prompts of one tower or both; each layer has its own.

    Args:
        template: the sentence around the class name; its first tokens are the text slots.
        text: what the text prompt of each layer starts from.
        image: what the image prompt of each layer starts from.
    """

    def __init__(
        self,
        template: str,
        text: Sequence[Float[Tensor, "text_slot text_width"]] = (),
        image: Sequence[Float[Tensor, "image_slot image_width"]] = (),
    ) -> None:
        super().__init__()
        self.template = template
        self.text, self.image = nn.ParameterList(text), nn.ParameterList(image)

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.text[0]) if len(self.text) else 0)

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[p[None, None] for p in self.text], image=[p[None] for p in self.image])


def deep_text(clip: CLIP, context: str, slots: int, depth: int) -> tuple[str, list[Tensor]]:
    """The template, and what the text prompt of each of `depth` layers starts from.

    Raises ValueError for slots and a depth that do not fit the text tower.
    """
    check_slots(slots, "text")
    check_depth(depth, len(clip.text.blocks), "text")
    template, start = first_slots(clip, context, slots)
    return template, deep_slots(start, depth)


def deep_image(clip: CLIP, slots: int, depth: int) -> list[Tensor]:
    """What the image prompt of each of `depth` layers starts from.

    Raises ValueError for slots and a depth that do not fit the image tower.
    """
    check_slots(slots, "image")
    check_depth(depth, len(clip.vit.blocks), "image")
    return deep_slots(random_slots(slots, clip.vit.width), depth)


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """IVLP. Raises ValueError for slots and depths that do not fit the towers."""
    template, text = deep_text(clip, config.context, config.text_slots, config.text_depth)
    image = deep_image(clip, config.image_slots, config.image_depth)
    return Method(prompter=Independent(template, text, image))


def released_names(text_depth: int, image_depth: int) -> dict[str, str | Stored]:
    """The released key for each trainable parameter, where so many layers of each tower have prompts."""
    block = "transformer.resblocks"
    return {
        "prompter.text.0": "prompt_learner.ctx",
        "prompter.image.0": "image_encoder.VPT",
        **{f"prompter.text.{i}": f"text_encoder.{block}.{i}.VPT_shallow" for i in range(1, text_depth)},
        **{f"prompter.image.{i}": f"image_encoder.{block}.{i}.VPT_shallow" for i in range(1, image_depth)},
    }


def released_sizes(shapes: Shapes, tower: Literal["text", "image"]) -> tuple[int, int]:
    """How many slots a tower has in a released checkpoint, and how many of its layers have prompts."""
    slots, _ = shapes.of("prompt_learner.ctx" if tower == "text" else "image_encoder.VPT")
    return slots, 1 + shapes.count(f"{tower}_encoder.transformer.resblocks.{{}}.VPT_shallow")


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    (text_slots, text_depth), (image_slots, image_depth) = (
        released_sizes(shapes, tower) for tower in ("text", "image")
    )
    return {
        "text_slots": text_slots, "text_depth": text_depth, "image_slots": image_slots, "image_depth": image_depth,
    }  # fmt: skip


RELEASED = Released(
    folder="VLPromptLearner",
    names=lambda config, clip: released_names(config.text_depth, config.image_depth),
    options=released_options,
)

_SOURCE = "multimodal-prompt-learning, configs/trainers/IVLP/vit_b16_c2_ep5_batch4_2+2ctx.yaml"
_TRAINING = {"optimizer": "sgd", "lr": 0.0035, "epochs": 5, "batch": 4}

METHOD = MethodSpec(
    name="ivlp",
    summary="IVLP: deep prompt tokens in both towers, independent of each other. (MaPLe, section 4.1)",
    Config=Config,
    build=build,
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(_SOURCE, training=_TRAINING),
        "released": Preset(_SOURCE, training=_TRAINING),
        "promptsrc-repository": Preset(
            "muzairkhattak/PromptSRC, configs/trainers/IVLP: 4+4 tokens, depth 9, 20 epochs",
            options={"text_slots": 4, "image_slots": 4, "text_depth": 9, "image_depth": 9},
            training={**_TRAINING, "lr": 0.0025, "epochs": 20},
        ),
    },
    released=RELEASED,
)
