"""A method from outside the package: learned words before the class name, in the text tower's first layer alone.

Name it by its dotted path, with the folder it lies in on Python's path:

    PYTHONPATH=. bmip train --method examples.shallow_text --data digits
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.prompts import Prompts
from bmip.clip.text_layout import TextLayout
from bmip.prompting.initial_prompts import first_slots
from bmip.prompting.method import Given, Method, Preset, Prompter


@dataclass(frozen=True)
class Config:
    slots: int = 4
    context: str = "a photo of a"
    """Words the slots start from."""


class ShallowText(Prompter):
    def __init__(self, start: Tensor, template: str) -> None:
        super().__init__()
        self.template, self.words = template, nn.Parameter(start)

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.words))

    def forward(self, given: Given) -> Prompts:
        return Prompts(
            text=[self.words[None, None]]
        )  # (image, class, slot, width): the same for all images and classes


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    template, start = first_slots(clip, config.context, config.slots)
    return Method(prompter=ShallowText(start, template))


PRESETS = {"default": Preset("our own", training={"lr": 0.02, "epochs": 20, "batch": 32})}
