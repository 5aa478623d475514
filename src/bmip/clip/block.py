"""One pre-norm transformer block and the only attention of the package.

Shapes: a row of tokens is (..., token, width); split into heads it is (..., token, head, channel).
The weights' type is the compute type: products run in it. The residual stream and layer norms do not leave float32 (or
float64), and a softmax of 16-bit scores is computed in float32 inside its kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

Activation = Literal["quick_gelu", "gelu"]


_CACHED = 2**19
"""Numbers of an attention matrix that a CPU keeps near: one image of ViT-B/16. (benchmarks/attention.py)"""


class Linear(nn.Linear):
    def forward(self, input: Float[Tensor, "*lead inward"]) -> Float[Tensor, "*lead outward"]:
        return F.linear(input.to(self.weight.dtype), self.weight, self.bias)


class LayerNorm(nn.LayerNorm):
    def forward(self, input: Float[Tensor, "*lead width"]) -> Float[Tensor, "*lead width"]:
        return F.layer_norm(input.to(self.weight.dtype), self.normalized_shape, self.weight, self.bias, self.eps)


class _QuickGELU(torch.autograd.Function):
    """x * sigmoid(1.702 x) as silu(1.702 x) / 1.702, whose slope is that of silu: one kernel on the way back."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        scaled = 1.702 * x
        ctx.save_for_backward(scaled)
        return F.silu(scaled).div_(1.702)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (scaled,) = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grad, scaled)


def quick_gelu(x: Float[Tensor, "*lead width"]) -> Float[Tensor, "*lead width"]:
    return _QuickGELU.apply(x)  # pyright: ignore[reportReturnType]


class Keys(NamedTuple):
    """Keys and values of earlier tokens."""

    k: Float[Tensor, "*lead token head channel"]
    v: Float[Tensor, "*lead token head channel"]


def attend(
    q: Float[Tensor, "*lead query head channel"],
    k: Float[Tensor, "*lead key head channel"],
    v: Float[Tensor, "*lead key head channel"],
    *,
    past: Keys | None = None,
    mask: Bool[Tensor, "*sequence query key"] | None = None,
) -> Float[Tensor, "*wider query width"]:
    """Softmax attention of each row of `q` over `past` (all of it) and over its own keys where `mask` is true.

    With a past, own tokens are (image, class, token, ...) and the past is (image, token, ...): it is common to the
    classes and never copied for them.
    """
    if past is None and mask is None and _fuses(q):
        q, k, v = (t.transpose(-2, -3) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v).transpose(-2, -3).flatten(-2)
    q, v = _scaled(q), v.transpose(-2, -3)
    own = _masked(q @ k.transpose(-2, -3).transpose(-1, -2), mask)
    if past is None:
        return (own.softmax(-1) @ v).transpose(-2, -3).flatten(-2)
    early_k, early_v = (t.transpose(-2, -3) for t in past)  # (image, head, early, channel)
    early = _over_classes(q, early_k.transpose(-1, -2))
    shares = torch.cat([early, own.expand(*early.shape[:-1], -1)], dim=-1).softmax(-1)
    mixed = _over_classes(shares[..., : early.shape[-1]], early_v) + shares[..., early.shape[-1] :] @ v
    return mixed.transpose(-2, -3).flatten(-2)


@torch.no_grad()
def received(
    q: Float[Tensor, "*lead query head channel"],
    k: Float[Tensor, "*lead key head channel"],
    at: Int64[Tensor, "*some slot"],
    *,
    past: Keys | None = None,
    mask: Bool[Tensor, "*sequence query key"] | None = None,
) -> Float[Tensor, "*wider slot"]:
    """The attention that the keys `at` get, averaged over the queries and heads. Keeps no graph and no matrix.

    On a CPU the matrix of a few images at a time stays in the cache. Elsewhere values that point at one slot turn the
    mixture of the fused kernel into the attention itself; they are as wide as a head, since those kernels are fast
    only where keys and values are equally wide.
    """
    heads, width = k.shape[-2:]
    if past is None and mask is None and at.ndim == 1 and q.device.type == "cpu":
        images = max(1, _CACHED // (heads * q.shape[-3] * k.shape[-3]))
        few = zip(_scaled(q).split(images), k.transpose(-2, -3).transpose(-1, -2).split(images), strict=True)
        shares = [(a @ b).softmax(-1)[..., at] for a, b in few]
        return torch.cat([s.mean((-2, -3), dtype=_at_least_float32(s)) for s in shares])
    if past is not None:
        past = Keys(past.k, torch.zeros_like(past.v))
    found = []
    for part in at.split(width, dim=-1):
        points = (part.unsqueeze(-2) == torch.arange(k.shape[-3], device=k.device)[:, None]).to(k.dtype)
        points = F.pad(points, (0, width - part.shape[-1])).unsqueeze(-2).expand_as(k)
        shares = attend(q, k, points, past=past, mask=mask).unflatten(-1, (heads, width))
        found.append(shares[..., : part.shape[-1]].mean((-2, -3), dtype=_at_least_float32(shares)))
    return torch.cat(found, dim=-1)


def _fuses(q: Tensor) -> bool:
    """Whether the fused kernel is the faster exact one. (benchmarks/attention.py)

    On a CPU it is so in float32 at every length, forward and backward; in 16 bit plain products are, by up to 4 times.
    """
    return q.device.type != "cpu" or q.dtype in (torch.float32, torch.float64)


def _scaled(q: Tensor) -> Float[Tensor, "*lead head query channel"]:
    return (q / math.sqrt(q.shape[-1])).transpose(-2, -3)


def _masked(scores: Tensor, mask: Tensor | None) -> Tensor:
    return scores if mask is None else scores.masked_fill(~mask.unsqueeze(-3), -math.inf)


def _at_least_float32(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _over_classes(rows: Tensor, common: Tensor) -> Tensor:
    """(image, class, head, query, a) times (image, head, a, b), as one product for all classes."""
    merged = rows.transpose(1, 2).flatten(2, 3) @ common  # (image, head, class * query, b)
    return merged.unflatten(2, (rows.shape[1], rows.shape[3])).transpose(1, 2)


class Projected(NamedTuple):
    """Tokens as a block's attention sees them; `q` only of the rows that ask."""

    q: Float[Tensor, "*lead query head channel"]
    k: Float[Tensor, "*lead token head channel"]
    v: Float[Tensor, "*lead token head channel"]


class Block(nn.Module):
    """x + attention(ln_1(x)), then x + mlp(ln_2(x)); in pieces, so that a tower computes only the rows it reads."""

    def __init__(self, width: int, heads: int, activation: Activation) -> None:
        super().__init__()
        self.heads = heads
        self.activation = quick_gelu if activation == "quick_gelu" else F.gelu
        self.ln_1, self.ln_2 = LayerNorm(width), LayerNorm(width)
        self.qkv, self.out = Linear(width, 3 * width), Linear(width, width)
        self.up, self.down = Linear(width, 4 * width), Linear(4 * width, width)

    def project(
        self, x: Float[Tensor, "*lead token width"], asking: Float[Tensor, "*lead query width"] | None = None
    ) -> Projected:
        """Queries, keys and values of `x`; with `asking`, queries of those rows alone."""
        if asking is None:
            return self.unpack(self.pack(x))
        width = x.shape[-1]
        k, v = self._part(self.ln_1(x), width, 3 * width).unflatten(-1, (2, self.heads, -1)).unbind(-3)
        return Projected(self.queries(asking), k, v)

    def pack(self, x: Float[Tensor, "*lead token width"]) -> Float[Tensor, "*lead token 3 head channel"]:
        """Queries, keys and values of `x` in one tensor."""
        return self.qkv(self.ln_1(x)).unflatten(-1, (3, self.heads, -1))

    def unpack(self, packed: Float[Tensor, "*lead token 3 head channel"]) -> Projected:
        q, k, v = packed.unbind(-3)
        return Projected(q, k, v)

    def queries(self, x: Float[Tensor, "*lead token width"]) -> Float[Tensor, "*lead token head channel"]:
        return self._part(self.ln_1(x), 0, x.shape[-1]).unflatten(-1, (self.heads, -1))

    def keys(self, x: Float[Tensor, "*lead token width"]) -> Float[Tensor, "*lead token head channel"]:
        width = x.shape[-1]
        return self._part(self.ln_1(x), width, 2 * width).unflatten(-1, (self.heads, -1))

    def finish(
        self, x: Float[Tensor, "*#lead query width"], mixed: Float[Tensor, "*lead query width"]
    ) -> Float[Tensor, "*lead query width"]:
        """What the block makes of the rows `x` whose attention gave `mixed`."""
        x = x + self.out(mixed)
        return x + self.down(self.activation(self.up(self.ln_2(x))))

    def _part(self, x: Tensor, start: int, stop: int) -> Tensor:
        weight, bias = self.qkv.weight[start:stop], self.qkv.bias[start:stop]
        return F.linear(x.to(weight.dtype), weight, bias)


class Blocks(nn.ModuleList):
    """A tower's layers, from the bottom."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        super().__init__(blocks)

    def __iter__(self) -> Iterator[Block]:
        return super().__iter__()  # pyright: ignore[reportReturnType]


def join(*segments: Float[Tensor, "..."], axis: int = -2) -> Float[Tensor, "..."]:
    """Concatenate along an axis, broadcasting the axes before it."""
    lead = torch.broadcast_shapes(*(s.shape[:axis] for s in segments))
    return torch.cat([s.expand(*lead, *s.shape[axis:]) for s in segments], dim=axis)
