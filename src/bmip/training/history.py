"""What happened in each epoch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class EpochMetrics:
    epoch: int
    """Counted from 1."""
    lr: float
    losses: Mapping[str, float]
    """Mean over the steps, of each part; their sum is the loss."""
    train_accuracy: float
    """Percent, on augmented images and while the prompts change."""
    val_accuracy: float | None
    """Percent; None where nothing was judged."""
    seconds: float
    """Judging included."""

    @property
    def loss(self) -> float:
        return sum(self.losses.values())


@dataclass(frozen=True)
class History:
    epochs: tuple[EpochMetrics, ...] = ()
    kept: int | None = None
    """The epoch whose tensors the model has, counted from 1; None for an average, or where nothing was trained."""

    stopped_early: bool = False


def rows_of(epochs: Iterable[EpochMetrics]) -> list[dict[str, Any]]:
    """As they stand in metrics.jsonl."""
    return [dataclasses.asdict(epoch) for epoch in epochs]


def epochs_of(rows: Iterable[Mapping[str, Any]]) -> tuple[EpochMetrics, ...]:
    return tuple(EpochMetrics(**row) for row in rows)
