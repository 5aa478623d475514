"""Independent vision-language prompting: deep prompts in both towers that know nothing of each other.

With no image slots it is deep language prompting. (MaPLe, section 4.1; multimodal-prompt-learning, independentVL.py)
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.model import CLIP
from bmip.clip.texts import ClassNames, TextLayout
from bmip.method import Given, Method, Preset, Prompter
from bmip.prompts import Prompts
from bmip.slots import check_depth, first_slots, random_slots


@dataclass(frozen=True)
class Config:
    text_slots: int = 2
    image_slots: int = 2
    """0 for deep language prompting."""

    text_depth: int = 12
    image_depth: int = 12
    """Layers prompted, from the bottom."""

    context: str = "a photo of a"
    """Words the first text slots start from; with fewer words than slots they start at random."""


class IVLP(Prompter):
    def __init__(
        self,
        start: Float[Tensor, "slot width"],
        template: str,
        *,
        text_depth: int,
        image_slots: int,
        image_width: int,
        image_depth: int,
    ) -> None:
        super().__init__()
        self.template = template
        slots, width = start.shape
        self.text = nn.ParameterList(
            [nn.Parameter(start), *(random_slots(slots, width) for _ in range(text_depth - 1))]
        )
        self.image = nn.ParameterList(
            random_slots(image_slots, image_width) for _ in range(image_depth if image_slots else 0)
        )

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=self.text[0].shape[0])

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[p[None, None] for p in self.text], image=[p[None] for p in self.image])


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    check_depth(config.text_depth, len(clip.text.blocks), "text")
    if config.image_slots:
        check_depth(config.image_depth, len(clip.vit.blocks), "image")
    template, start = first_slots(clip, config.context, config.text_slots)
    return Method(
        prompter=IVLP(
            start,
            template,
            text_depth=config.text_depth,
            image_slots=config.image_slots,
            image_width=clip.vit.width if config.image_slots else 0,
            image_depth=config.image_depth,
        )
    )


_RELEASED = {"optimizer": "sgd", "lr": 0.0035, "epochs": 5, "batch": 4}

PRESETS = {
    "default": Preset("multimodal-prompt-learning, configs/trainers/IVLP: 2+2, depth 12", training=_RELEASED),
    "released": Preset("multimodal-prompt-learning, configs/trainers/IVLP: 2+2, depth 12", training=_RELEASED),
    "language-only": Preset(
        "multimodal-prompt-learning, configs/trainers/IVLP: language only, 4 tokens",
        options={"text_slots": 4, "image_slots": 0},
        training={**_RELEASED, "lr": 0.0025},
    ),
}
