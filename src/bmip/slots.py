"""Where learned slots begin: at the embeddings of words, or at random."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.model import CLIP

DEVIATION = 0.02
"""Of random prompts, everywhere in the CoOp family."""


def random_slots(slots: int, width: int) -> nn.Parameter:
    return nn.Parameter(DEVIATION * torch.randn(slots, width))


def first_slots(clip: CLIP, context: str, slots: int) -> tuple[str, Float[Tensor, "slot width"]]:
    """The template around the slots, and what they start from.

    With at least as many tokens in `context` as slots, the slots replace its first tokens and start from them, and
    the rest of it stays as fixed words; otherwise they stand alone and start at random.
    """
    ids = clip.tokenizer.encode(context)
    if slots <= len(ids):
        with torch.no_grad():
            return f"{context} {{}}.", clip.text.token_embedding.weight[ids[:slots]].clone()
    return " ".join(["X"] * slots) + " {}.", random_slots(slots, clip.text.width).data


def check_depth(depth: int, layers: int, tower: str) -> None:
    if not 1 <= depth <= layers:
        raise ValueError(
            f"depth {depth} does not fit the {tower} tower: it has {layers} layers, so choose 1 to {layers}"
        )
