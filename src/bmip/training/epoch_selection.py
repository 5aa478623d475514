"""Which epoch's tensors are kept, by one rule: better is a strictly greater validation accuracy.

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
            "are judged: use selection 'last'"
        )
    if dataset.val is None or len(dataset.val) == 0:
        raise ValueError(
            f"{dataset.name} has no validation images for selection 'best-val': add some or use selection 'last'"
        )


@dataclass(frozen=True)
class Selection:
    """The best of the epochs so far."""

    best: float | None = None
    """Percent."""
    epoch: int = 0
    """Counted from 1; 0 where none was judged."""
    since: int = 0
    """Epochs after it."""

    def after(self, accuracy: float) -> Selection:
        """With one more epoch."""
        if self.best is None or accuracy > self.best:
            return Selection(accuracy, self.epoch + self.since + 1)
        return Selection(self.best, self.epoch, self.since + 1)

    def stops(self, config: TrainConfig) -> bool:
        """Whether patience has run out, which never counts before `min_epochs`."""
        return self.since >= config.patience and self.epoch + self.since >= config.min_epochs


def selected(epochs: Iterable[EpochMetrics]) -> Selection:
    found = Selection()
    for epoch in epochs:
        if epoch.val_accuracy is not None:
            found = found.after(epoch.val_accuracy)
    return found


def finished(epochs: tuple[EpochMetrics, ...], config: TrainConfig) -> bool:
    """Whether there is no epoch left to train."""
    return len(epochs) >= config.epochs or (config.selection == "best-val" and selected(epochs).stops(config))


def concluded(epochs: tuple[EpochMetrics, ...], config: TrainConfig, *, averaged: bool) -> History:
    """The history of training that has come to its end."""
    kept = selected(epochs).epoch if config.selection == "best-val" else len(epochs)
    return History(epochs, None if averaged or not epochs else kept, 0 < len(epochs) < config.epochs)
