"""The options of HiCroPL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Extra:
    """The options of what HiCroPL adds to prompts."""

    distillation: float = 12.0
    """Weight of 1 - the mean cosine between the features and the frozen ones, for images and for classes. (LAMBD)"""

    sentences: str = ""
    """A JSON file of {class name: [sentence, ...]} for the frozen text tower; otherwise it reads neutral templates."""


@dataclass(frozen=True)
class Config(Extra):
    """The options of HiCroPL."""

    slots: int = 16
    """Prompt tokens in each tower."""

    depth: int = 12
    """How many layers of both towers get prompts, from the bottom."""

    top: int = 6
    """How many of these layers, from the top, pass prompts from the image tower to the text tower; the others pass them
    the other way."""

    context: str = "a photo of a"
    """Words that the first text prompt starts from; with fewer words than `slots` it starts at random."""

    heads: int = 8
    """Attention heads of the networks."""

    written_back: bool = False
    """As in the released code, write the mapped prompts into the trained ones in every forward pass. Then the networks
    get no gradient, and every answer changes the next one."""
