"""The initial values of prompts: embeddings of words, or random draws from torch's global generator."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from bmip.clip.model import CLIP


def random_slots(*shape: int) -> Tensor:
    """Prompts of this shape, which ends in (slot, width), drawn from N(0, 0.02) as everywhere in the CoOp family."""
    return 0.02 * torch.randn(shape)


def bare_template(slots: int) -> str:
    """The template in which nothing but slots stands before the class name."""
    return "X " * slots + "{}."


def first_slots(clip: CLIP, context: str, slots: int) -> tuple[str, Float[Tensor, "slot width"]]:
    """The template around the slots, and the prompt that they start from.

    Where `context` has at least as many tokens as there are slots, the slots replace its first tokens and start from
    them, and its other words stay in the template. Otherwise the slots stand alone and start at random.
    """
    ids = clip.tokenizer.encode(context)
    if slots <= len(ids):
        with torch.no_grad():
            return f"{context} {{}}.", clip.text.token_embedding.weight[ids[:slots]].clone()
    return bare_template(slots), random_slots(slots, clip.text.width)


def deep_slots(first: Float[Tensor, "slot width"], depth: int) -> list[Tensor]:
    """A prompt for each of `depth` layers: the first as it is given, the others drawn at random."""
    return [first, *(random_slots(*first.shape) for _ in range(depth - 1))]


def padded_slots(clip: CLIP, context: str, slots: int) -> tuple[str, Float[Tensor, "slot width"]]:
    """As `first_slots`, but the words of `context` start the last slots, and the slots in front of them start at zero.

    (ProGrad, trainers/prograd.py)
    """
    ids = clip.tokenizer.encode(context)[-slots:]
    start = torch.zeros(slots, clip.text.width, device=clip.text.token_embedding.weight.device)
    with torch.no_grad():
        start[slots - len(ids) :] = clip.text.token_embedding.weight[ids]
    return bare_template(slots), start
