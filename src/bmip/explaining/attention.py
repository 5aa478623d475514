"""Which patches the class token and the image prompts look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from bmip.clip.block import Projected
from bmip.clip.prompts import first_layer
from bmip.prompting.model import PromptedCLIP


@dataclass(frozen=True, eq=False)
class Attention:
    """The attention that the patches of one image receive, averaged over heads. Patches are rows of a square grid."""

    class_token: Float[Tensor, "row column"]
    """From the class token in the last layer; the sum is the share that does not go to itself and to the prompts."""

    slots: Float[Tensor, "slot row column"]
    """From each image prompt token, averaged over the layers that prompts enter; the last layer has no such reader."""

    to_slots: float
    """The share, in 0..1, of its attention that the class token gives to the image prompts in the last layer."""


@torch.no_grad()
def attention_of(model: PromptedCLIP, pixels: Float[Tensor, "3 size size"]) -> Attention:
    """The attention on one image, whose pixels are normalised. Raises ValueError where the image tower is a ResNet."""
    vit, images = model.student.vit, pixels[None]
    prompts = model.prompts(model.classes, images).image
    side = model.clip.config.image_size // model.clip.config.patch
    patches = slice(1, 1 + side * side)
    last, first = len(vit.blocks) - 1, first_layer(prompts)
    prompted = range(0 if first is None else first, min(last, len(prompts)))
    slots: list[Tensor] = []
    found: list[Tensor] = []

    def watch(layer: int, seen: Projected) -> None:
        if layer in prompted:
            slots.append(_mean_over_heads(seen, slice(patches.stop, None))[:, patches])
        if layer == last:
            found.append(_mean_over_heads(seen, slice(0, 1))[0])

    vit(images, prompts, watch=watch)
    grid = (side, side)
    return Attention(
        found[0][patches].unflatten(0, grid).cpu(),
        (torch.stack(slots).mean(0) if slots else torch.empty(0, side * side)).unflatten(-1, grid).cpu(),
        float(found[0][patches.stop :].sum()),
    )


def _mean_over_heads(seen: Projected, queries: slice) -> Float[Tensor, "query token"]:
    q, k = seen.q[0, queries].float(), seen.k[0].float()
    scores = torch.einsum("qhc,khc->hqk", q, k) / math.sqrt(q.shape[-1])
    return scores.softmax(-1).mean(0)
