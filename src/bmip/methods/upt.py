"""UPT: one prompt for both towers in each layer, made by a small transformer. (Zang et al. 2022)

As re-implemented in the BMIP repository (trainers/upt.py): deep prompt j passes through its own encoder layer, where
its slots attend to each other, and is cut into a text part and an image part.
"""

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
    check_heads,
    check_slots,
    first_slots,
    random_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of UPT."""

    slots: int = 2
    """Prompt tokens in each tower."""

    depth: int = 9
    """How many layers of both towers get prompts, from the bottom. In the first layer the prompts are separate."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `slots` it starts at random."""

    heads: int = 8
    """Attention heads of the small transformers; they must divide the sum of both towers' widths."""

    inner: int = 2048
    """Width of the small transformers' hidden layer."""

    dropout: float = 0.1
    """Dropout in the small transformers while training, 0 to 1."""

    text_short: bool = False
    """As in the released code, prompt one layer less in the text tower."""


class UPT(Prompter):
    """Separate prompts in the first layer; deeper, a joint prompt that a transformer layer mixes and that is then cut.

    Args:
        start: what the first text prompt starts from.
        template: the sentence around the class name; its first tokens are the slots.
        image_width: width of the image tower.
    """

    def __init__(self, config: Config, start: Float[Tensor, "slot width"], template: str, image_width: int) -> None:
        super().__init__()
        self.template, self.text_short = template, config.text_short
        slots, self.text_width = start.shape
        joint = self.text_width + image_width
        self.text, self.image = nn.Parameter(start), nn.Parameter(random_slots(slots, image_width))
        self.joint = nn.ParameterList(random_slots(slots, joint) for _ in range(config.depth - 1))
        self.mixers = nn.ModuleList(
            nn.TransformerEncoderLayer(joint, config.heads, config.inner, config.dropout)
            for _ in range(config.depth - 1)
        )

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.text))

    def forward(self, given: Given) -> Prompts:
        mixed = [mixer(prompt) for mixer, prompt in zip(self.mixers, self.joint, strict=True)]
        text = [self.text, *(m[:, : self.text_width] for m in mixed[: len(mixed) - self.text_short])]
        image = [self.image, *(m[:, self.text_width :] for m in mixed)]
        return Prompts(text=[p[None, None] for p in text], image=[p[None] for p in image])


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """UPT. Raises ValueError for slots, a depth or a number of heads that does not fit the towers."""
    check_slots(config.slots, "text")
    check_depth(config.depth, min(len(clip.text.blocks), len(clip.vit.blocks)), "shallower")
    check_heads(config.heads, clip.text.width + clip.vit.width, "joint width")
    template, start = first_slots(clip, config.context, config.slots)
    return Method(prompter=UPT(config, start, template, clip.vit.width))


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    return {
        "prompter.text": "prompt_learner.ctx_t",
        "prompter.image": Stored("prompt_learner.ctx_v", (clip.config.context, clip.vit.width)),
        "prompter.joint": "prompt_learner.compound_prompts",
        "prompter.mixers": "prompt_learner.compound_prompt_projections",
    }


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, _ = shapes.of("prompt_learner.ctx_t")
    inner, _ = shapes.of("prompt_learner.compound_prompt_projections.0.linear1.weight")
    return {"slots": slots, "depth": 1 + shapes.count("prompt_learner.compound_prompts.{}"), "inner": inner}


RELEASED = Released(
    folder="MultiModalPromptLearner",
    names=released_names,
    options=released_options,
    fixed=("heads", "text_short"),
)

_SOURCE = "LAMDASZ-ML/BMIP, trainers/upt.py with the settings of TRAINER.BITP that it reads"
_TRAINING = {"optimizer": "sgd", "lr": 0.002, "epochs": 5, "batch": 4}

METHOD = MethodSpec(
    name="upt",
    summary="UPT: one prompt for both towers in each layer, made by a small transformer. (Zang et al. 2022)",
    Config=Config,
    build=build,
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(f"{_SOURCE}, both towers equally deep (docs/fidelity.md)", training=_TRAINING),
        "released": Preset(_SOURCE, options={"text_short": True}, training=_TRAINING),
    },
    released=RELEASED,
)
