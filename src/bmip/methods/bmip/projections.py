"""Linear maps of one tower's prompts to the other tower's width, and what fits them to its slots."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Projections(nn.ModuleList):
    """A linear map for each of `layers` layers, or a single one that all of them share.

    All maps start from the same draw, as in the released code.
    """

    def __init__(self, inward: int, outward: int, layers: int, *, shared: bool) -> None:
        super().__init__(nn.Linear(inward, outward) for _ in range(min(layers, 1) if shared else layers))
        for later in list(self)[1:]:
            later.load_state_dict(self[0].state_dict())

    def forward(self, place: int, prompt: Float[Tensor, "slot inward"]) -> Float[Tensor, "slot outward"]:
        """The prompt, projected by the map of the layer at this place (counted from 0)."""
        return self[place if len(self) > 1 else 0](prompt)


def cycled(rows: Float[Tensor, "other width"], count: int) -> Float[Tensor, "slot width"]:
    """The first `count` rows; where there are fewer, they repeat cyclically."""
    return rows if len(rows) == count else rows[torch.arange(count, device=rows.device) % len(rows)]
