"""From HiCroPL's options to its prompts, and to what it adds to any prompts."""

from __future__ import annotations

from bmip.methods.hicropl.nearness import Distillation, Ensemble
from bmip.methods.hicropl.options import Config, Extra
from bmip.methods.hicropl.prompter import HiCroPL
from bmip.prompting import (
    CLIP,
    ClassNames,
    DescribedClasses,
    Extras,
    Method,
    check_depth,
    check_heads,
    check_slots,
    deep_slots,
    first_slots,
    random_slots,
)


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """HiCroPL. Raises ValueError for options that do not fit the towers."""
    check_slots(config.slots, "text")
    check_depth(config.depth, min(len(clip.text.blocks), len(clip.vit.blocks)), "shallower")
    if config.depth == 1:
        raise ValueError("depth 1 leaves no layer for one of the ways: choose at least 2")
    if not 0 < config.top < config.depth:
        raise ValueError(f"top {config.top} leaves no layer for one of the ways: choose 1 to {config.depth - 1}")
    for width in (clip.text.width, clip.vit.width):
        check_heads(config.heads, width, "width")
    template, start = first_slots(clip, config.context, config.slots)
    image = [random_slots(config.slots, clip.vit.width) for _ in range(config.depth)]
    prompter = HiCroPL(
        deep_slots(start, config.depth),
        image,
        template,
        top=config.top,
        heads=config.heads,
        written_back=config.written_back,
    )
    return Method(prompter=prompter)


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """HiCroPL's loss term, and its features as sums of prompted and frozen ones."""
    described = DescribedClasses(config.sentences)
    return Extras(terms=[Distillation(config.distillation, described)], adapter=Ensemble(described))
