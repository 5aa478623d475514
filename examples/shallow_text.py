"""A method from outside the package: it trains words before the class name, in the text tower's first layer alone.

Name it by its file, as docs/adding-a-method.md says:

    bmip train --method examples/shallow_text.py --data digits --threads 1
"""

from __future__ import annotations

from dataclasses import dataclass

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
    TextLayout,
    check_slots,
    first_slots,
)


@dataclass(frozen=True)
class Config:
    """The options of the method."""

    slots: int = 4
    """Prompt tokens before the class name."""

    context: str = "a photo of a"
    """Words that the prompt tokens start from; with fewer words than `slots` they start at random."""


class ShallowText(Prompter):
    """The same prompt tokens for all images and classes."""

    def __init__(self, template: str, start: Tensor) -> None:
        super().__init__()
        self.template, self.words = template, nn.Parameter(start)

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.words))

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[self.words[None, None]])  # (image, class, slot, width)


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    check_slots(config.slots, "text")
    template, start = first_slots(clip, config.context, config.slots)
    return Method(prompter=ShallowText(template, start))


METHOD = MethodSpec(
    name="shallow_text",
    summary="Trains the words before the class name, in the text tower's first layer.",
    Config=Config,
    build=build,
    presets={"default": Preset("our own", training={"lr": 0.02, "epochs": 20, "batch": 32})},
)
