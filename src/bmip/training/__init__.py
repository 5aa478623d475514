"""Training the learned prompts: one loop for all methods."""

from bmip.training.config import TrainConfig, build_optimizer, learning_rate
from bmip.training.epoch_selection import check_selection
from bmip.training.finite import TrainingError
from bmip.training.history import EpochMetrics, History
from bmip.training.loop import Batches, fit
from bmip.training.progress import Tick, progress_bar

__all__ = [
    "Batches",
    "EpochMetrics",
    "History",
    "Tick",
    "TrainConfig",
    "TrainingError",
    "build_optimizer",
    "check_selection",
    "fit",
    "learning_rate",
    "progress_bar",
]
