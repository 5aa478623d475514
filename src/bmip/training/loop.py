"""The training loop, the same for all methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from torch import Tensor

from bmip.method import PromptedCLIP
from bmip.runfolder import RunFolder
from bmip.training.history import History
from bmip.training.optimisation import TrainConfig
from bmip.training.progress import Tick


class Batches(Protocol):
    """What `fit` trains on; `bmip.data.loading.TrainBatches` is one. An epoch must follow from its number alone."""

    def __len__(self) -> int:
        """Batches in an epoch."""
        ...

    def epoch(self, number: int, /) -> Iterator[tuple[list[Tensor], Tensor]]:
        """uint8 (image, 3, size, size) for each view, and the labels; epochs are counted from 0."""
        ...


def fit(
    model: PromptedCLIP,
    train: Batches,
    config: TrainConfig,
    *,
    seed: int = 0,
    validate: Callable[[], float] | None = None,
    run: RunFolder | None = None,
    progress: Callable[[Tick], None] | None = None,
) -> History:
    """Train the model's learned tensors in place, where the model is; nothing is drawn from a global generator.

    Args:
        model: with a CLIP in float32, which is changed to the precision asked for, or already in that precision.
        seed: of what a method may draw while it trains (dropout).
        validate: the model's validation accuracy in percent, asked for after every epoch; best-val needs it.
        run: where metrics and, after every epoch, all that is needed to go on are written; training goes on from
            what is there.

    Raises:
        TrainingError: a ValueError; where a loss, a gradient or a learned tensor is not finite. The state on disk is
            that of the epoch before.
    """
    raise NotImplementedError
