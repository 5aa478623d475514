"""CoCoOp: prompt tokens before the class name that a small network shifts for each image. (Zhou et al. 2022, CVPR)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import (
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
    TextLayout,
    check_positive,
    check_slots,
    first_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of CoCoOp."""

    slots: int = 4
    """Prompt tokens before the class name."""

    context: str = "a photo of a"
    """Words that the prompt tokens start from; with fewer words than `slots` they start at random."""

    bottleneck: int = 16
    """How many times narrower than the image features the network's hidden layer is."""


class CoCoOp(Prompter):
    """Text prompt tokens to which a network of two layers adds one vector, made from the image's feature.

    Args:
        start: what the prompt tokens start from.
        template: the sentence around the class name; its first tokens are the slots.
        out: width of the image features.
        bottleneck: how many times narrower the network's hidden layer is.
    """

    reads_images = True

    def __init__(self, start: Float[Tensor, "slot width"], template: str, *, out: int, bottleneck: int) -> None:
        super().__init__()
        self.context, self.template = nn.Parameter(start), template
        inner = max(1, out // bottleneck)
        self.shift = nn.Sequential(nn.Linear(out, inner), nn.ReLU(), nn.Linear(inner, start.shape[-1]))

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.context))

    def forward(self, given: Given) -> Prompts:
        shifted = self.context + self.shift(given.image_features)[:, None]  # the same shift for every slot
        return Prompts(text=[shifted[:, None]])


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """CoCoOp. Raises ValueError for fewer than one slot, and for a bottleneck below 1."""
    check_slots(config.slots, "text")
    check_positive(config, "bottleneck")
    template, start = first_slots(clip, config.context, config.slots)
    return Method(prompter=CoCoOp(start, template, out=clip.config.out, bottleneck=config.bottleneck))


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    slots, _ = shapes.of("prompt_learner.ctx")
    inner, out = shapes.of("prompt_learner.meta_net.linear1.weight")
    return {"slots": slots, "bottleneck": out // inner}


RELEASED = Released(
    folder="prompt_learner",
    part="prompt_learner",
    names=lambda config, clip: {
        "prompter.context": "prompt_learner.ctx",
        "prompter.shift.0": "prompt_learner.meta_net.linear1",
        "prompter.shift.2": "prompt_learner.meta_net.linear2",
    },
    options=released_options,
)

_SOURCE = "KaiyangZhou/CoOp, configs/trainers/CoCoOp/vit_b16_c4_ep10_batch1_ctxv1.yaml"
_TRAINING = {"optimizer": "sgd", "lr": 0.002, "epochs": 10, "batch": 1}

METHOD = MethodSpec(
    name="cocoop",
    summary="CoCoOp: CoOp's prompt tokens, shifted for each image by a small network. (Zhou et al. 2022, CVPR)",
    Config=Config,
    build=build,
    presets={"default": Preset(_SOURCE, training=_TRAINING), "released": Preset(_SOURCE, training=_TRAINING)},
    released=RELEASED,
)
