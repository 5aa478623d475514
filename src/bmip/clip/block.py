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

from bmip.clip.linear import Linear

Activation = Literal["quick_gelu", "gelu"]


_CACHED = 2**19
"""Numbers of an attention matrix that a CPU's cache holds: one image of ViT-B/16. (benchmarks/attention.py)"""


class LayerNorm(nn.LayerNorm):
    """A layer norm that computes, and returns, in the type of its weight."""

    def forward(self, input: Float[Tensor, "*lead width"]) -> Float[Tensor, "*lead width"]:
        return F.layer_norm(input.to(self.weight.dtype), self.normalized_shape, self.weight, self.bias, self.eps)


class _QuickGELU(torch.autograd.Function):
    """x * sigmoid(1.702 x) as silu(1.702 x) / 1.702, whose slope is that of silu: one kernel backward."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        scaled = 1.702 * x
        if not ctx.needs_input_grad[0]:
            return F.silu(scaled, inplace=True).div_(1.702)  # new memory would cost as much as the computation
        ctx.save_for_backward(scaled)
        return F.silu(scaled).div_(1.702)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        (scaled,) = ctx.saved_tensors
        return torch.ops.aten.silu_backward(grad, scaled)


def quick_gelu(x: Float[Tensor, "*lead width"]) -> Float[Tensor, "*lead width"]:
    """x * sigmoid(1.702 x), the activation of OpenAI's CLIP. (openai/CLIP clip/model.py: QuickGELU)"""
    return _QuickGELU.apply(x)  # pyright: ignore[reportReturnType]


class Keys(NamedTuple):
    """Keys and values of the tokens that come before a row of tokens."""

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
    """Softmax attention: for each query the mean of the values, weighted by softmax(q k / sqrt(channel)).

    Args:
        q: the queries.
        k: the keys of the tokens' own row.
        v: the values that belong to `k`.
        past: keys and values of earlier tokens, all of which every query sees. Then `q`, `k` and `v` are
            (image, class, token, head, channel) and the past is (image, token, head, channel): the classes share it,
            and it is not copied for each.
        mask: true where a query sees a key of its own row; without a mask it sees all.

    Returns the mixed values of all heads, side by side.
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
    at: Int64[Tensor, "*some slot"] | slice,
    *,
    past: Keys | None = None,
    mask: Bool[Tensor, "*sequence query key"] | None = None,
) -> Float[Tensor, "*wider slot"]:
    """The attention that the keys at the places `at` receive, averaged over queries and heads; each is in 0..1.

    Arguments are those of `attend`. The result has no gradient, and the whole attention matrix is never stored.
    On a CPU the matrix of only a few images is computed at a time, so that it stays in the cache. Elsewhere `attend`
    runs on values that are one-hot vectors of the places, so its output is the attention itself. These vectors are as
    wide as a head, because fused kernels are fast only where keys and values have the same width.
    """
    heads, width = k.shape[-2:]
    if past is None and mask is None and _fits_a_cache(q) and (isinstance(at, slice) or at.ndim == 1):
        q, k = _scaled(q), k.transpose(-2, -3).transpose(-1, -2)
        if torch.compiler.is_compiling():  # a traced program has no loop over an unknown number of images
            return _shares(q, k, at)
        images = max(1, _CACHED // (heads * q.shape[-2] * k.shape[-1]))
        return torch.cat([_shares(a, b, at) for a, b in zip(q.split(images), k.split(images), strict=True)])
    if past is not None:
        past = Keys(past.k, torch.zeros_like(past.v))
    if isinstance(at, slice):
        at = torch.arange(k.shape[-3], device=k.device)[at]
    found = []
    for part in at.split(width, dim=-1):
        points = (part.unsqueeze(-2) == torch.arange(k.shape[-3], device=k.device)[:, None]).to(k.dtype)
        points = F.pad(points, (0, width - part.shape[-1])).unsqueeze(-2).expand_as(k)
        shares = attend(q, k, points, past=past, mask=mask).unflatten(-1, (heads, width))
        found.append(shares[..., : part.shape[-1]].mean((-2, -3), dtype=_at_least_float32(shares)))
    return torch.cat(found, dim=-1)


def _fuses(q: Tensor) -> bool:
    """Whether the fused kernel is faster than plain products; both are exact. (benchmarks/attention.py)

    On a CPU it is faster in float32 at every length, forward and backward; in 16 bit plain products are faster, by up
    to 4 times.
    """
    return q.device.type != "cpu" or q.dtype in (torch.float32, torch.float64)


def _fits_a_cache(q: Tensor) -> bool:
    """Whether `received` computes plainly, for so few images at a time that a cache holds their matrix: on a CPU."""
    return q.device.type == "cpu"


def _shares(
    q: Float[Tensor, "*lead head query channel"],
    k: Float[Tensor, "*lead head channel key"],
    at: Int64[Tensor, " slot"] | slice,
) -> Float[Tensor, "*lead slot"]:
    """What `received` returns, from queries that are scaled already."""
    shares = (q @ k).softmax(-1)[..., at]
    return shares.mean((-2, -3), dtype=_at_least_float32(shares))


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
    """Queries, keys and values of a block's attention; queries may belong to fewer tokens than keys do."""

    q: Float[Tensor, "*lead query head channel"]
    k: Float[Tensor, "*lead token head channel"]
    v: Float[Tensor, "*lead token head channel"]


class Block(nn.Module):
    """A pre-norm transformer block: x + attention(ln_1(x)), then x + mlp(ln_2(x)).

    CLIP's own have nothing `beside`; a method can put a module there, and what that makes of ln_1(x) is added to the
    block's output. (`bmip.clip.changed`)

    Its steps are methods, so that a tower computes only the tokens whose results it needs: first `project`, then
    `attend` outside of the block, then `finish`.
    """

    beside: nn.Module | None

    def __init__(self, width: int, heads: int, activation: Activation) -> None:
        super().__init__()
        self.heads = heads
        self.activation = quick_gelu if activation == "quick_gelu" else F.gelu
        self.ln_1, self.ln_2 = LayerNorm(width), LayerNorm(width)
        self.qkv, self.out = Linear(width, 3 * width), Linear(width, width)
        self.up, self.down = Linear(width, 4 * width), Linear(4 * width, width)
        self.register_module("beside", None)

    def project(
        self, x: Float[Tensor, "*lead token width"], asking: Float[Tensor, "*lead query width"] | None = None
    ) -> Projected:
        """Queries, keys and values of `x`; with `asking`, the queries are those of these tokens only."""
        if asking is None:
            return self.unpack(self.pack(x))
        width = x.shape[-1]
        k, v = self.qkv.rows(self.ln_1(x), width, 3 * width).unflatten(-1, (2, self.heads, -1)).unbind(-3)
        return Projected(self.queries(asking), k, v)

    def pack(self, x: Float[Tensor, "*lead token width"]) -> Float[Tensor, "*lead token 3 head channel"]:
        """Queries, keys and values of `x` in one tensor."""
        return self.qkv(self.ln_1(x)).unflatten(-1, (3, self.heads, -1))

    def unpack(self, packed: Float[Tensor, "*lead token 3 head channel"]) -> Projected:
        """What `pack` returned, taken apart."""
        q, k, v = packed.unbind(-3)
        return Projected(q, k, v)

    def queries(self, x: Float[Tensor, "*lead token width"]) -> Float[Tensor, "*lead token head channel"]:
        """The queries of `x`."""
        return self.qkv.rows(self.ln_1(x), 0, x.shape[-1]).unflatten(-1, (self.heads, -1))

    def keys(self, x: Float[Tensor, "*lead token width"]) -> Float[Tensor, "*lead token head channel"]:
        """The keys of `x`."""
        width = x.shape[-1]
        return self.qkv.rows(self.ln_1(x), width, 2 * width).unflatten(-1, (self.heads, -1))

    def finish(
        self, x: Float[Tensor, "*#lead query width"], mixed: Float[Tensor, "*lead query width"]
    ) -> Float[Tensor, "*lead query width"]:
        """The block's output for the tokens `x`, where `mixed` is what `attend` returned for them."""
        y = x + self.out(mixed)
        y = y + self.down(self.activation(self.up(self.ln_2(y))))
        return y if self.beside is None else y + self.beside(self.ln_1(x))


class Blocks(nn.ModuleList):
    """The layers of a tower, the lowest first."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        super().__init__(blocks)

    def __iter__(self) -> Iterator[Block]:
        return super().__iter__()  # pyright: ignore[reportReturnType]


def join(*segments: Float[Tensor, "..."], axis: int = -2) -> Float[Tensor, "..."]:
    """The tensors concatenated along an axis; the axes before it are broadcast."""
    lead = torch.broadcast_shapes(*(s.shape[:axis] for s in segments))
    return torch.cat([s.expand(*lead, *s.shape[axis:]) for s in segments], dim=axis)
