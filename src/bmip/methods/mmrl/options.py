"""The options of MMRL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Extra:
    """The options of what MMRL adds to prompts."""

    read_out_share: float = 0.3
    """The weight of the read-out's logits beside those of the class token, 0 to 1. (1 - alpha)"""

    nearness: float = 1.0
    """Weight of 1 - the mean cosine between the features and the frozen ones, for images and for classes. (w)"""

    trained_classes_only: bool = False
    """As in the released code, let the read-out count only where the classes asked about are those of training."""


@dataclass(frozen=True)
class Config(Extra):
    """The options of MMRL."""

    slots: int = 5
    """Tokens in each tower. (N_REP_TOKENS)"""

    width: int = 512
    """Width of the space that the tokens are trained in. (REP_DIM)"""

    top: int = 7
    """How many layers of both towers get the tokens, from the top: 7 are the sixth to the twelfth of 12."""
