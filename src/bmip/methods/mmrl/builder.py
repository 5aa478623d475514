"""From MMRL's options to its prompts, and to what it adds to any prompts."""

from __future__ import annotations

import torch

from bmip.methods.mmrl.options import Config, Extra
from bmip.methods.mmrl.prompter import MMRL, OwnMaps
from bmip.methods.mmrl.read_out import Nearness, SlotReadOut
from bmip.prompting import (
    CLIP,
    ClassNames,
    Extras,
    Method,
    check_positive,
    check_share,
    check_slots,
    check_top,
    random_slots,
)


def check(config: Config, clip: CLIP) -> tuple[int, int]:
    """The first layer that tokens enter in the text tower and in the image tower.

    Raises ValueError for fewer than one slot, a width below 1, and where tokens would enter the lowest layer: in front
    of it stands a norm that they are not made for.
    """
    check_slots(config.slots, "text")
    check_positive(config, "width")
    layers = len(clip.text.blocks), len(clip.vit.blocks)
    check_top(config.top, min(layers) - 1, "shallower")
    return layers[0] - config.top, layers[1] - config.top


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """MMRL. Raises ValueError as `check` does."""
    first = check(config, clip)
    start = random_slots(config.slots, config.width)
    text, image = (OwnMaps(config.top, config.width, width) for width in (clip.text.width, clip.vit.width))
    return Method(prompter=MMRL(start, text, image, first=first, layers=config.top))


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """MMRL's read-out, with a projection that starts at random, and its loss.

    Raises ValueError for a share outside 0 to 1.
    """
    check_share(config, "read_out_share")
    width = clip.vit.width
    projection = torch.randn(width, clip.config.out) / width**0.5
    return Extras(terms=[Nearness(config.nearness)], read_out=SlotReadOut([projection], config))
