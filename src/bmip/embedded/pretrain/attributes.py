"""What is true of an image, for the heads that help pre-training."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from bmip.embedded.scenes.atlas import shown_things
from bmip.embedded.scenes.compose import RELATIONS, SURFACES, Content
from bmip.embedded.scenes.scene import COLOURS, CORRUPTIONS, EFFECTS

ATTRIBUTES = {
    "thing": tuple(thing.name for thing in shown_things()),
    "other": tuple(thing.name for thing in shown_things()),
    "copies": ("one", "two", "three", "four", "five"),
    "relation": RELATIONS,
    "surface": SURFACES,
    "colour": tuple(COLOURS),
    "effect": EFFECTS,
    "corruption": CORRUPTIONS,
}
"""Attribute -> what its numbers stand for."""


def attributes_of(content: Content) -> Int64[Tensor, "attribute image"]:
    """The numbers of each attribute; -1 where an image has no such thing."""
    values = {name: getattr(content, name) for name in ATTRIBUTES}
    values["copies"] = values["copies"] - 1
    return torch.stack([torch.from_numpy(values[name]) for name in ATTRIBUTES])
