"""The metrics of each epoch, and the history that they make."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class EpochMetrics:
    """The metrics of one epoch, as they stand in metrics.jsonl."""

    epoch: int
    """Counted from 1."""

    lr: float
    """The learning rate of its first step; of all its steps unless the schedule goes by step."""

    losses: Mapping[str, float]
    """The mean of each part of the loss over the steps; their sum is the loss, which is minimised."""

    train_accuracy: float
    """In percent, on the augmented images, while the prompts change."""

    val_accuracy: float | None
    """In percent; None where the epoch was not validated."""

    seconds: float
    """The time of the epoch, validation included."""

    guides: Mapping[str, float] = field(default_factory=dict)
    """The mean of each part that edits the gradient and is not minimised itself, as in ProGrad."""

    @property
    def loss(self) -> float:
        """The mean loss: the sum of its parts."""
        return sum(self.losses.values())


@dataclass(frozen=True)
class History:
    """What `fit` returns: the epochs, and which of them the model keeps."""

    epochs: tuple[EpochMetrics, ...] = ()
    """One for each epoch that was trained, also those before an interruption."""

    kept: int | None = None
    """The epoch whose parameters the model has, counted from 1; None for an average, or where nothing was trained."""

    stopped_early: bool = False
    """Whether training ended before the last epoch, since validation got no better."""


def rows_of(epochs: Iterable[EpochMetrics]) -> list[dict[str, Any]]:
    """The epochs as rows of metrics.jsonl."""
    rows = [dataclasses.asdict(epoch) for epoch in epochs]
    return [{name: value for name, value in row.items() if name != "guides" or value} for row in rows]


def epochs_of(rows: Iterable[Mapping[str, Any]]) -> tuple[EpochMetrics, ...]:
    """The epochs from rows of metrics.jsonl."""
    return tuple(EpochMetrics(**row) for row in rows)
