"""CoOp: prompt tokens around the class name, in the text tower's first layer. (Zhou et al. 2022, IJCV)"""

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
    Position,
    Preset,
    Prompter,
    Prompts,
    Released,
    Shapes,
    TextLayout,
    check_slots,
    first_slots,
    padded_slots,
    random_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of CoOp."""

    slots: int = 4
    """Prompt tokens around the class name (n_ctx in CoOp's code)."""

    context: str = "a photo of a"
    """Words that the prompt tokens start from; with fewer words than `slots` they start at random."""

    position: Position = "end"
    """Where the class name stands among the prompt tokens. For "middle" and "front" no word of `context` may be left
    over: it needs exactly as many tokens as there are slots, or fewer."""

    class_specific: bool = False
    """Give each class prompt tokens of its own. Such prompts know only the classes that they were trained on."""

    padded: bool = False
    """With fewer words than `slots`, let the words start the last slots and zeros the others."""


class CoOp(Prompter):
    """Prompt tokens in the first layer of the text tower.

    Args:
        start: what the prompt tokens start from; with an axis of classes, each class has its own.
        template: the sentence around the class name; its first tokens are the slots.
        position: where the class name stands among the slots.
        classes: the training classes, in the order of the axis.
    """

    def __init__(
        self, start: Float[Tensor, "*#class slot width"], template: str, position: Position, classes: ClassNames
    ) -> None:
        super().__init__()
        self.context, self.template = nn.Parameter(start), template
        self.position: Position = position
        self.trained_on = classes if start.ndim == 3 else None

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(
            self.template,
            slots=self.context.shape[-2],
            position=self.position,
            per_class=self.trained_on is not None,
        )

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[self.context[None] if self.trained_on else self.context[None, None]])


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """CoOp. Raises ValueError for fewer than one slot."""
    check_slots(config.slots, "text")
    words = len(clip.tokenizer.encode(config.context))
    make = padded_slots if config.padded and words < config.slots else first_slots
    template, start = make(clip, config.context, config.slots)
    if config.class_specific:
        if config.slots > words and not config.padded:
            start = random_slots(len(classes), *start.shape)
        else:
            start = start.repeat(len(classes), 1, 1)
    return Method(prompter=CoOp(start, template, config.position, classes))


def released_options(shapes: Shapes) -> dict[str, Any]:
    """What a released checkpoint tells about the options."""
    context = "prompt_learner.ctx"
    class_specific = shapes.axes(context) == 3
    return {"slots": shapes.of(context, 2 + class_specific)[-2], "class_specific": class_specific}


RELEASED = Released(
    folder="prompt_learner",
    part="prompt_learner",
    names=lambda config, clip: {"prompter.context": "prompt_learner.ctx"},
    options=released_options,
)

_TABLES = {"optimizer": "sgd", "lr": 0.002, "epochs": 200, "batch": 32}
_RANDOM = {"slots": 16, "context": ""}

METHOD = MethodSpec(
    name="coop",
    summary="CoOp: trains the words around the class name, in the text tower's first layer. (Zhou et al. 2022, IJCV)",
    Config=Config,
    build=build,
    presets={
        "default": Preset(
            "CoOp rows of CoCoOp's and MaPLe's base-to-new tables: 4 tokens, 200 epochs", training=_TABLES
        ),
        "released": Preset(
            "KaiyangZhou/CoOp, scripts/coop/main.sh: 16 random tokens at the end; configs/trainers/CoOp/vit_b16.yaml",
            options=_RANDOM,
            training=_TABLES,
        ),
        "cross-dataset": Preset(
            "CoOp rows of CoCoOp's cross-dataset tables: 4 tokens, 50 epochs on ImageNet",
            training={**_TABLES, "epochs": 50},
        ),
        "few-shot": Preset(
            "CoOp, section 4.1: 16 random tokens, 200 epochs with 8 or 16 shots", options=_RANDOM, training=_TABLES
        ),
        "few-shot-4": Preset(
            "CoOp, section 4.1: 100 epochs with 2 or 4 shots", options=_RANDOM, training={**_TABLES, "epochs": 100}
        ),
        "few-shot-1": Preset(
            "CoOp, section 4.1: 50 epochs with 1 shot, and on ImageNet",
            options=_RANDOM,
            training={**_TABLES, "epochs": 50},
        ),
        "bmip-repository": Preset(
            "LAMDASZ-ML/BMIP, configs/trainers/CoOp/vit_b16_ep100.yaml",
            options=_RANDOM,
            training={**_TABLES, "epochs": 100},
        ),
    },
    released=RELEASED,
)
