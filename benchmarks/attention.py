"""Which attention kernel is faster, by length, type and use: plain products, or torch's fused one.

This decides `_fuses` in bmip/clip/block.py, and how `received` looks at the attention of two slots. Queries, keys and
values are views of one projection, as in a block.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Shape:
    heads: int
    channels: int
    batch: int
    tokens: int

    def __str__(self) -> str:
        return f"{self.heads}x{self.channels}, {self.batch}, {self.tokens}"


SHAPES = [
    *(Shape(12, 64, 4, n) for n in (8, 16, 32, 50, 77, 128, 199, 257, 577)),
    *(Shape(12, 64, 32, n) for n in (8, 50, 199, 257)),
    *(Shape(4, 32, 32, n) for n in (8, 16, 32, 65, 100, 199)),
    *(Shape(2, 64, 32, n) for n in (16, 65)),
]
FEW = [Shape(12, 64, 4, 50), Shape(12, 64, 4, 199), Shape(12, 64, 32, 199), Shape(4, 32, 32, 65)]


def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The softmax is taken in the type of the scores; in 16 bit torch computes it in float32 and rounds once."""
    q, k, v = (t.transpose(1, 2) for t in (q / math.sqrt(q.shape[-1]), k, v))
    return ((q @ k.transpose(-1, -2)).softmax(-1) @ v).transpose(1, 2).flatten(-2)


def plain_wide(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same with the attention kept in float32 beside its 16-bit copy."""
    q, k, v = (t.transpose(1, 2) for t in (q / math.sqrt(q.shape[-1]), k, v))
    return ((q @ k.transpose(-1, -2)).softmax(-1, dtype=torch.float32).to(v.dtype) @ v).transpose(1, 2).flatten(-2)


def fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(*(t.transpose(1, 2) for t in (q, k, v))).transpose(1, 2).flatten(-2)


def look_fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention to the last two keys from values that point at them."""
    tokens, channels = k.shape[1], k.shape[-1]
    points = F.pad(torch.eye(2, dtype=k.dtype, device=k.device), (0, channels - 2, tokens - 2, 0))
    return fused(q[:, :-2], k, points[:, None].expand_as(k)).unflatten(-1, (-1, channels))[..., :2].float().mean((1, 2))


def look_whole(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    scores = (q[:, :-2] / math.sqrt(q.shape[-1])).transpose(1, 2) @ k.permute(0, 2, 3, 1)
    return scores.softmax(-1)[..., -2:].float().mean((1, 2))


def look_by_image(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.cat([look_whole(q[i : i + 1], k[i : i + 1], v) for i in range(len(q))])


LOOKS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "fused": look_fused,
    "plain, whole batch": look_whole,
    "plain, image by image": look_by_image,
}
KERNELS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "plain": plain,
    "plain, wide softmax": plain_wide,
    "fused": fused,
}


def cells(device: str, *, quick: bool) -> list[str]:
    places = ["cuda"] if device == "cuda" else [f"cpu{n}" for n in (1, 2) if n <= (os.cpu_count() or 1)]
    places, precisions = (places[:1], ("float32",)) if quick else (places, ("float32", "bfloat16"))
    return [f"{what}/{place}/{kind}" for what in ("attention", "look") for place in places for kind in precisions]


def measure(cell: str, *, seconds: float) -> dict[str, Any]:
    """Milliseconds, the median, forward and forward with backward; wall time, and CPU time of the process."""
    what, place, precision = cell.split("/")
    device = "cuda" if place == "cuda" else "cpu"
    if device == "cpu":
        torch.set_num_threads(int(place.removeprefix("cpu")))
    dtype = getattr(torch, precision)
    kernels = {name: f for name, f in KERNELS.items() if dtype != torch.float32 or f is not plain_wide}
    if what == "look":
        kernels = LOOKS
    found = {}
    for shape in FEW if seconds < 0.2 or what == "look" else SHAPES:
        qkv = torch.randn(shape.batch, shape.tokens, 3, shape.heads, shape.channels, dtype=dtype, device=device)
        grad = torch.randn(shape.batch, shape.tokens, shape.heads * shape.channels, dtype=dtype, device=device)
        for use in ("forward", "forward and backward") if what == "attention" else ("forward",):
            found[f"{shape}, {use}"] = _race(kernels, qkv.requires_grad_(use != "forward"), grad, seconds)
    return found


def _race(kernels: dict[str, Callable], qkv: Tensor, grad: Tensor, seconds: float) -> dict[str, Any]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in kernels}
    end = time.perf_counter() + seconds
    turn = 0
    while turn < 4 or (time.perf_counter() < end and turn < 100):
        for name, kernel in kernels.items():
            wall, cpu = time.perf_counter(), time.process_time()
            mixed = kernel(*qkv.unbind(2))
            if qkv.requires_grad:
                mixed.backward(grad)
                qkv.grad = None
            if qkv.is_cuda:
                torch.cuda.synchronize()
            if turn:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
        turn += 1
    return {
        name: {kind: 1e3 * statistics.median(t[k] for t in each) for k, kind in enumerate(("wall", "cpu"))}
        for name, each in times.items()
    }
