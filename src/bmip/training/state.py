"""The state of training after an epoch, which can be saved and restored."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from bmip.prompting.averaging import RunningMean
from bmip.training.config import TrainConfig
from bmip.training.history import EpochMetrics, epochs_of, rows_of
from bmip.training.optimizer import Optimizer
from bmip.training.precision import LossScale
from bmip.training.run_folder import Saved


class State:
    """Trainable parameters, optimiser, loss scale, epochs so far, best parameters and running mean."""

    def __init__(self, trainable: dict[str, nn.Parameter], config: TrainConfig) -> None:
        self.trainable = trainable
        self.optimizer = Optimizer(trainable, config)
        self.scale = LossScale.of(config.precision)
        self.epochs: tuple[EpochMetrics, ...] = ()
        self.best: dict[str, Tensor] = {}
        """A copy of the parameters of the best epoch, where one is selected."""
        self.mean = RunningMean()

    def tensors(self) -> dict[str, Tensor]:
        """A copy of the trainable parameters."""
        return {name: tensor.detach().clone() for name, tensor in self.trainable.items()}

    def saved(self) -> Saved:
        """The whole state as tensors and plain values, for a run folder."""
        groups = {
            "trainable": self.trainable,
            "best": self.best,
            "sums": self.mean.sums,
            "optimizer": {
                f"{name}/{key}": value for name, values in self.optimizer.state.items() for key, value in values.items()
            },
        }
        return Saved(
            {f"{group}/{name}": tensor for group, tensors in groups.items() for name, tensor in tensors.items()},
            {
                "epochs": rows_of(self.epochs),
                "total": self.mean.total,
                "scale": {"scale": self.scale.scale, "steps": self.scale.steps},
            },
        )

    def restore(self, saved: Saved) -> None:
        """Take over a saved state. Every tensor is copied, so that the file it came from can be replaced."""
        with torch.no_grad():
            for name, value in _group("trainable", saved.tensors).items():
                self.trainable[name].copy_(value)
        device = next(iter(self.trainable.values())).device
        self.best = {name: value.to(device) for name, value in _group("best", saved.tensors).items()}
        for key, value in _group("optimizer", saved.tensors).items():
            name, _, part = key.rpartition("/")
            self.optimizer.state.setdefault(name, {})[part] = value if part == "step" else value.to(device)
        self.epochs = epochs_of(saved.facts["epochs"])
        self.mean.total, self.mean.sums = saved.facts["total"], _group("sums", saved.tensors)
        self.scale.scale, self.scale.steps = saved.facts["scale"]["scale"], saved.facts["scale"]["steps"]


def _group(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        key.removeprefix(f"{name}/"): torch.empty_like(value).copy_(value)
        for key, value in tensors.items()
        if key.startswith(f"{name}/")
    }
