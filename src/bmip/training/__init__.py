"""Training the learned prompts: one loop for all methods."""

from bmip.training.guard import TrainingError
from bmip.training.history import EpochMetrics, History
from bmip.training.loop import Batches, fit
from bmip.training.optimisation import TrainConfig, build_optimizer, learning_rate
from bmip.training.progress import Tick, progress_bar
from bmip.training.selection import check_selection

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
