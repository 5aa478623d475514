"""Gates: each gives the gate weight w in w * own + (1 - w) * projected. (BMIP and its ablations)"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import LayerView

GateInput = Callable[[LayerView], Float[Tensor, "*lead slot"]]
"""Gives a gate its x for each slot, from a layer that is about to run."""


class Gate(nn.Module, ABC):
    """Gives the weight of a tower's own prompt, in 0..1, for each slot of one layer."""

    reads_attention: bool = True
    """Whether w depends on x; otherwise only the shape of x counts."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "*lead slot"]) -> Float[Tensor, "*lead slot"]:
        """The gate weight w for each slot, from its x."""


class Learned(Gate):
    """w = sigmoid(weight * x + bias), with one weight and one bias for all slots of a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(()).uniform_(-1, 1))  # torch's default for one input
        self.bias = nn.Parameter(torch.empty(()).uniform_(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.weight * x + self.bias)


class Constant(Gate):
    """w = sigmoid(bias): it is trained and does not depend on attention."""

    reads_attention = False

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(()).uniform_(-1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.bias).expand_as(x)


class Half(Gate):
    """w = 1/2: the plain mean of both prompts."""

    reads_attention = False

    def forward(self, x: Tensor) -> Tensor:
        return torch.full_like(x, 0.5)


class Threshold(Gate):
    """w = 1 where x reaches the threshold, and 0 elsewhere."""

    def __init__(self, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        return (x >= self.threshold).to(x.dtype)


def raw_attention(view: LayerView) -> Float[Tensor, "*lead slot"]:
    """The attention that each slot receives, in 0..1. With 199 keys it is about 0.005 and hardly moves a sigmoid."""
    return view.attention()


def relative_attention(view: LayerView) -> Float[Tensor, "*lead slot"]:
    """The attention that each slot receives, divided by uniform attention: about 1."""
    return view.attention() * view.reach


def log_attention(view: LayerView) -> Float[Tensor, "*lead slot"]:
    """The logarithm of `relative_attention`: about 0, whatever the number of keys."""
    return relative_attention(view).clamp_min(1e-6).log()
