"""The networks that make one tower's prompts of the other's: a pooler for each layer, and a mapper for each way."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import quick_gelu


class Pooler(nn.Module):
    """One token that has read a layer's prompts: it starts as a trained one and attends to them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.proxy = nn.Parameter(torch.randn(1, width))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, prompts: Float[Tensor, "slot width"]) -> Float[Tensor, "1 width"]:
        seen = self.ln_1(prompts)
        read, _ = self.attention(self.ln_1(self.proxy), seen, seen, need_weights=False)
        return self.ln_2(self.proxy + read)


class Mapper(nn.Module):
    """New prompts for one tower: its own attend to the pooled ones of the other tower, and pass a network.

    Where they attend to a single one, its key decides nothing, and there is no map for it.
    """

    def __init__(self, inward: int, width: int, heads: int, *, layers: int) -> None:
        super().__init__()
        self.q, self.v = nn.Linear(width, width), nn.Linear(inward, width)
        self.k = nn.Linear(inward, width) if layers > 1 else None
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(
        self, own: Float[Tensor, "row width"], other: Float[Tensor, "layer inward"]
    ) -> Float[Tensor, "row width"]:
        q, v = self.q(own), self.v(other)
        k = self.k(other) if self.k else v
        q = q + self.attention(self.ln_1(q), self.ln_1(k), self.ln_1(v), need_weights=False)[0]
        return q + self.down(quick_gelu(self.up(self.ln_2(q))))
