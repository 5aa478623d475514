"""Zero-shot CLIP: sentences in words, and no training. (Radford et al. 2021)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bmip.prompting import CLIP, ClassNames, Given, Method, MethodSpec, Preset, Prompter, Prompts, TextLayout
from bmip.prompting.templates import IMAGENET_7, IMAGENET_80

_LISTS = {"own": (), "7": IMAGENET_7, "80": IMAGENET_80}


@dataclass(frozen=True)
class Config:
    """The options of zero-shot CLIP."""

    templates: Literal["own", "7", "80"] = "own"
    """The data set's own template, or the mean over CLIP's selection of 7 or all 80 templates for ImageNet."""

    with_own: bool = True
    """Whether the data set's own template joins the 7 or 80; the released code leaves it out on ImageNet."""


class ZeroShot(Prompter):
    """No prompts: each class has one sentence or several, whose features are averaged.

    Args:
        templates: those of every data set; without any, only the data set's own is used.
        with_own: whether the data set's own template joins them.
    """

    def __init__(self, templates: Sequence[str], with_own: bool) -> None:
        super().__init__()
        self.templates, self.with_own = tuple(templates), with_own

    def layout(self, classes: ClassNames) -> Sequence[TextLayout]:
        own = (classes.template,) if self.with_own or not self.templates else ()
        return [TextLayout(template) for template in dict.fromkeys((*self.templates, *own))]

    def forward(self, given: Given) -> Prompts:
        return Prompts()


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """Zero-shot CLIP, which trains nothing."""
    return Method(prompter=ZeroShot(_LISTS[config.templates], config.with_own))


_SOURCE = "CoOp, trainers/zsclip.py"

METHOD = MethodSpec(
    name="zero_shot",
    summary="Zero-shot CLIP: classifies by sentences in words and trains nothing. (Radford et al. 2021)",
    Config=Config,
    build=build,
    prompted=frozenset(),
    presets={
        "default": Preset(f"{_SOURCE}: one template per data set"),
        "released": Preset(f"{_SOURCE}: one template per data set"),
        "ensemble": Preset(
            f"{_SOURCE}, ZeroshotCLIP2: 7 selected templates and the data set's own", {"templates": "7"}
        ),
        "ensemble-imagenet": Preset(
            f"{_SOURCE}, ZeroshotCLIP2 on ImageNet: 7 selected templates", {"templates": "7", "with_own": False}
        ),
        "ensemble-80": Preset(
            "openai/CLIP, notebook Prompt_Engineering_for_ImageNet: all 80 templates",
            {"templates": "80", "with_own": False},
        ),
    },
)
