"""Averages of the learned tensors over epochs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bmip.method import Average


@dataclass(frozen=True)
class GaussianAverage(Average):
    """Epochs e = 1, 2, ... weigh as a normal density around `mean`. (PromptSRC, Gaussian weighted aggregation)"""

    mean: float
    std: float

    def __post_init__(self) -> None:
        if not self.std > 0:
            raise ValueError(f"the deviation of the average over epochs is {self.std}; it must be positive")

    def weight(self, epoch: int, epochs: int) -> float:
        # Relative to the epoch nearest to the mean, so that not all weights vanish where the mean is far away.
        nearest = min(max(round(self.mean), 1), epochs)
        return math.exp((_squared(nearest, self) - _squared(epoch + 1, self)) / 2)


def _squared(epoch: int, average: GaussianAverage) -> float:
    return ((epoch - average.mean) / average.std) ** 2
