"""The other image tower of CLIP: a ResNet whose last grid is read by attention. (openai/CLIP clip/model.py)

It differs from the usual one in a stem of three convolutions, in strides that are average pools, and in the attention
at the end. Its batch norms are frozen, each a scale and a shift that the convolution in front of it holds.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.block import Linear, attend, join

Stages = tuple[int, int, int, int]

SHRINKS = 32
"""Sides of an image to those of the last grid: the stem's two halvings and three stages'."""
WIDENS = 32
"""Width of the last grid to that of the first stage."""


def fold_batch_norm(
    weight: Float[Tensor, "outward inward rows columns"], norm: Float[Tensor, "4 outward"]
) -> tuple[Float[Tensor, "outward inward rows columns"], Float[Tensor, " outward"]]:
    """Weight and bias, in float64, of the convolution that equals one without bias and the frozen batch norm behind it.

    `norm` is the batch norm's weight, bias, running mean and running variance.
    """
    scale, shift, mean, variance = norm.double()
    gain = scale / (variance + 1e-5).sqrt()
    return weight.double() * gain[:, None, None, None], shift - mean * gain


class Convolution(nn.Conv2d):
    def forward(self, input: Float[Tensor, "image inward rows columns"]) -> Float[Tensor, "image outward ..."]:
        return super().forward(input.to(self.weight.dtype))


class Bottleneck(nn.Module):
    """relu(shortcut(x) + expand(filter(reduce(x)))), four times as wide at its end as inside."""

    def __init__(self, inward: int, width: int, stride: int) -> None:
        super().__init__()
        self.reduce = Convolution(inward, width, 1)
        self.filter = Convolution(width, width, 3, padding=1)
        self.shrink = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.expand = Convolution(width, 4 * width, 1)
        changes = stride > 1 or inward != 4 * width
        self.shortcut = Convolution(inward, 4 * width, 1) if changes else nn.Identity()

    def forward(self, x: Float[Tensor, "image inward rows columns"]) -> Float[Tensor, "image outward ..."]:
        y = self.expand(self.shrink(self.filter(self.reduce(x).relu_()).relu_()))
        # The stream keeps its type where the weights are in 16 bit.
        return (self.shortcut(self.shrink(x)).to(x.dtype) + y).relu_()


class AttentionPool(nn.Module):
    """Attention over a grid and its mean, asked by the mean alone."""

    def __init__(self, *, cells: int, width: int, heads: int, out: int) -> None:
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.empty(1 + cells, width))
        self.q, self.k, self.v = Linear(width, width), Linear(width, width), Linear(width, width)
        self.projection = Linear(width, out)

    def forward(self, grid: Float[Tensor, "image width rows columns"]) -> Float[Tensor, "image out"]:
        cells = grid.flatten(2).transpose(1, 2)
        x = join(cells.mean(1, keepdim=True), cells) + self.positional_embedding
        q, k, v = (each.unflatten(-1, (self.heads, -1)) for each in (self.q(x[:, :1]), self.k(x), self.v(x)))
        return self.projection(attend(q, k, v)[:, 0])


class ResNet(nn.Module):
    """It has no tokens before its end, hence no place for prompts."""

    def __init__(self, *, size: int, width: int, layers: Stages, heads: int, out: int) -> None:
        super().__init__()
        half = width // 2
        self.stem = nn.ModuleList(
            Convolution(inward, outward, 3, stride=stride, padding=1)
            for inward, outward, stride in ((3, half, 2), (half, half, 1), (half, width, 1))
        )
        self.stages = nn.Sequential(*(_stage(width, number, blocks) for number, blocks in enumerate(layers)))
        self.pool = AttentionPool(cells=(size // SHRINKS) ** 2, width=WIDENS * width, heads=heads, out=out)

    def forward(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image out"]:
        """Features before normalisation."""
        x = pixels.contiguous(memory_format=torch.channels_last)  # which convolutions are faster on, most in 16 bit
        for convolution in self.stem:
            x = convolution(x).relu_()
        x = F.avg_pool2d(x, 2).to(self.pool.positional_embedding.dtype)
        return self.pool(self.stages(x))


def _stage(first: int, number: int, blocks: int) -> nn.Sequential:
    """Each stage is twice as wide as the one before, and all but the first begin by halving the grid."""
    width = first * 2**number
    inward = 2 * width if number else first
    start = Bottleneck(inward, width, 2 if number else 1)
    return nn.Sequential(start, *(Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)))
