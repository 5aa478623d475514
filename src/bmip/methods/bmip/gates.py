"""Gates: the share that a tower's own prompt has in a mixture with the other tower's. (BMIP and its ablations)"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.clip.prompts import LayerView


class Gate(nn.Module, ABC):
    looks: bool = True
    """Whether the share depends on attention."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "*lead slot"]) -> Float[Tensor, "*lead slot"]:
        """The share, from a number about attention for each slot."""


class Learned(Gate):
    """An affine map and a sigmoid; one of each for all slots of a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(()).uniform_(-1, 1))  # torch's default for one input
        self.bias = nn.Parameter(torch.empty(()).uniform_(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.weight * x + self.bias)


class Constant(Gate):
    """A learned share that knows nothing of attention."""

    looks = False

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(()).uniform_(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.bias).expand_as(x)


class Half(Gate):
    """The plain mean of both prompts."""

    looks = False

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x, 0.5)


class Threshold(Gate):
    """All or nothing: the own prompt where attention reaches the threshold, else the other's."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return (x >= self.threshold).to(x.dtype)


def gate_input(view: LayerView, kind: str) -> Float[Tensor, "*lead slot"]:
    """Attention to one of 199 keys is about 0.005 and hardly moves a sigmoid; relative to uniform it is about 1."""
    attention = view.attention()
    if kind == "raw":
        return attention
    relative = attention * view.reach
    return relative if kind == "relative" else relative.clamp_min(1e-6).log()
