"""Zero-shot CLIP: the data set's own template, nothing learned. (Radford et al. 2021)"""

from __future__ import annotations

from dataclasses import dataclass

from bmip.clip.model import CLIP
from bmip.clip.texts import ClassNames, TextLayout
from bmip.method import Given, Method, Preset, Prompter
from bmip.prompts import Prompts


@dataclass(frozen=True)
class Config:
    """No options."""


class ZeroShot(Prompter):
    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(template=classes.template)

    def forward(self, given: Given) -> Prompts:
        return Prompts()


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    return Method(prompter=ZeroShot())


PRESETS = {
    "default": Preset("CoOp repository, trainers/zsclip.py: one template per data set"),
    "released": Preset("CoOp repository, trainers/zsclip.py: one template per data set"),
}
