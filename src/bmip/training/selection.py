"""Which epoch's tensors are kept, by one rule: better is a strictly greater validation accuracy.

docs/fidelity.md says where the released code does otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from bmip.data.dataset import Dataset
from bmip.training.optimisation import TrainConfig


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
    """What is known of the best epoch so far; a value, so that it can be written down."""

    best: float | None = None
    """Percent."""
    best_epoch: int = 0
    """Counted from 1; 0 where none was judged."""
    since: int = 0
    """Epochs after it."""

    def after(self, epoch: int, accuracy: float) -> Selection:
        """With one more epoch, counted from 1."""
        if self.best is None or accuracy > self.best:
            return Selection(accuracy, epoch, 0)
        return Selection(self.best, self.best_epoch, self.since + 1)

    def stops(self, epoch: int, config: TrainConfig) -> bool:
        """Whether to stop after `epoch`, counted from 1."""
        return self.since >= config.patience and epoch >= config.min_epochs
