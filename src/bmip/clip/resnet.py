"""The other image tower of CLIP: a ResNet that ends in attention over its last grid. (openai/CLIP clip/model.py)

It differs from the usual ResNet in three ways: its stem has three convolutions, average pools stand for strides, and
attention stands at its end. Its batch norms are frozen, so each is merged into the convolution before it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.block import attend, join
from bmip.clip.linear import Linear

Stages = tuple[int, int, int, int]

SHRINKS = 32
"""The side of an image divided by the side of the last grid."""
WIDENS = 32
"""The channels of the last grid divided by those of the first stage."""


def fold_batch_norm(
    weight: Float[Tensor, "outward inward rows columns"], norm: Float[Tensor, "4 outward"]
) -> tuple[Float[Tensor, "outward inward rows columns"], Float[Tensor, " outward"]]:
    """A convolution without bias and the frozen batch norm after it, as the weight and bias of one convolution.

    Both are in float64. `norm` is the batch norm's weight, bias, running mean and running variance.
    """
    scale, shift, mean, variance = norm.double()
    gain = scale / (variance + 1e-5).sqrt()
    return weight.double() * gain[:, None, None, None], shift - mean * gain


class Convolution(nn.Conv2d):
    """A convolution that computes, and returns, in the type of its weight."""

    def forward(self, input: Float[Tensor, "image inward rows columns"]) -> Float[Tensor, "image outward ..."]:
        return super().forward(input.to(self.weight.dtype))


class Bottleneck(nn.Module):
    """A residual block: relu(shortcut(x) + expand(filter(reduce(x)))). Its output has four times its inner width."""

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
    """Attention in which the mean of a grid is the only query, and the grid's cells and the mean are the keys."""

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
    """CLIP's ResNet. It has no tokens before its end, so no prompts can enter it.

    Args:
        size: side of the square images, in pixels.
        width: channels of the first stage.
        layers: blocks in each of the four stages.
        heads: heads of the attention at the end.
        out: channels of the features.
    """

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
