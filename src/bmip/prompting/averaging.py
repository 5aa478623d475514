"""Averages of the trainable parameters over epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from bmip.prompting.method import Average


@dataclass(frozen=True)
class GaussianAverage(Average):
    """Weights epochs e = 1, 2, ... by a normal density. (PromptSRC, Gaussian weighted aggregation)

    Raises ValueError for a deviation that is not positive.
    """

    mean: float
    """The epoch that weighs most, counted from 1."""

    std: float
    """The standard deviation in epochs."""

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise ValueError(f"the deviation of the average over epochs is {self.std}; it must be positive")

    def weight(self, epoch: int, epochs: int) -> float:
        # Relative to the epoch nearest to the mean, so that not all weights vanish where the mean is far away.
        nearest = min(max(round(self.mean), 1), epochs)
        return math.exp((self._square(nearest) - self._square(epoch + 1)) / 2)

    def _square(self, epoch: int) -> float:
        return ((epoch - self.mean) / self.std) ** 2


class RunningMean:
    """A weighted mean of sets of named tensors that come one after the other; it sums in float64 on the CPU."""

    def __init__(self) -> None:
        self.total = 0.0
        self.sums: dict[str, Tensor] = {}

    def add(self, tensors: Mapping[str, Tensor], weight: float) -> None:
        """Add one set. Raises ValueError for a weight that is negative or not finite."""
        if not 0 <= weight < math.inf:
            raise ValueError(f"an epoch's weight in the average is {weight}; it must be finite and not negative")
        self.total += weight
        for name, tensor in tensors.items():
            value = weight * tensor.detach().cpu().double()
            self.sums[name] = self.sums[name] + value if name in self.sums else value

    def mean(self) -> dict[str, Tensor]:
        """The mean in float32, on the CPU. Raises ValueError where all weights are 0."""
        if self.total == 0:
            raise ValueError("all epochs weigh 0 in the average: give at least one a weight")
        return {name: (tensor / self.total).float() for name, tensor in self.sums.items()}
