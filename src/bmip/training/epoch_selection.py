"""Selects the epoch whose parameters are kept. An epoch is better if its validation accuracy is strictly greater.

docs/fidelity.md says where the released code does otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bmip.data.dataset import Dataset
from bmip.training.config import TrainConfig
from bmip.training.history import EpochMetrics, History


def check_selection(config: TrainConfig, dataset: Dataset) -> None:
    """Raises ValueError where best-val would choose without validation images, or on the test split."""
    if config.selection != "best-val":
        return
    if dataset.val_is_test:
        raise ValueError(
            f"{dataset.name} is validated on its test split, so selection 'best-val' would choose by the images that "
            "are evaluated: use selection 'last'"
        )
    if dataset.val is None or len(dataset.val) == 0:
        raise ValueError(
            f"{dataset.name} has no validation images for selection 'best-val': add some or use selection 'last'"
        )


@dataclass(frozen=True)
class Selection:
    """The best epoch so far."""

    best: float | None = None
    """Its validation accuracy in percent; None where no epoch was validated."""

    epoch: int = 0
    """Its number, counted from 1; 0 where no epoch was validated."""

    since: int = 0
    """The number of epochs after it."""

    def after(self, accuracy: float) -> Selection:
        """The selection after one more epoch with this validation accuracy."""
        if self.best is None or accuracy > self.best:
            return Selection(accuracy, self.epoch + self.since + 1)
        return Selection(self.best, self.epoch, self.since + 1)

    def stops(self, config: TrainConfig) -> bool:
        """Whether `patience` epochs brought nothing better; never before `min_epochs`."""
        return self.since >= config.patience and self.epoch + self.since >= config.min_epochs


def selected(epochs: Iterable[EpochMetrics]) -> Selection:
    """The best of these epochs."""
    found = Selection()
    for epoch in epochs:
        if epoch.val_accuracy is not None:
            found = found.after(epoch.val_accuracy)
    return found


def finished(epochs: tuple[EpochMetrics, ...], config: TrainConfig) -> bool:
    """Whether there is no epoch left to train."""
    return len(epochs) >= config.epochs or (config.selection == "best-val" and selected(epochs).stops(config))


def concluded(epochs: tuple[EpochMetrics, ...], config: TrainConfig, *, averaged: bool) -> History:
    """The history of training that has ended; `averaged` says that the model has a mean over epochs."""
    kept = selected(epochs).epoch if config.selection == "best-val" else len(epochs)
    return History(epochs, None if averaged or not epochs else kept, 0 < len(epochs) < config.epochs)
