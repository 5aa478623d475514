"""How trainable parameters are trained: settings, optimiser, learning rate. (Dassl, as the released code uses it)"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from bmip.clip.model import Precision

Optimizer = Literal["sgd", "adam"]
Choice = Literal["last", "best-val"]


@dataclass(frozen=True)
class TrainConfig:
    epochs: int = 10
    batch: int = 4
    """Images per step; an incomplete last batch is dropped where there is a complete one."""

    optimizer: Optimizer = "sgd"
    lr: float = 0.002
    warmup_epochs: int = 1
    warmup_lr: float = 1e-5
    """Learning rate of every warm-up epoch."""

    weight_decay: float = 5e-4
    """Added to the gradient, for Adam too (not decoupled)."""

    momentum: float = 0.9
    """Of SGD."""

    precision: Precision = "float32"
    """Compute type of the frozen towers; trainable parameters, gates and the loss are float32."""

    selection: Choice = "last"
    """Which epoch's tensors are kept."""

    patience: int = 4
    """Epochs without a better validation accuracy after which best-val stops."""

    min_epochs: int = 5
    """best-val does not stop before this many epochs."""

    def __post_init__(self) -> None:
        choices = {"optimizer": Optimizer, "precision": Precision, "selection": Choice}
        for name, choice in choices.items():
            if getattr(self, name) not in get_args(choice):
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(get_args(choice))}")
        least = {"epochs": 1, "batch": 1, "patience": 1, "min_epochs": 0, "warmup_epochs": 0}
        least |= dict.fromkeys(("lr", "warmup_lr", "weight_decay", "momentum"), 0)
        for name, bound in least.items():
            if not bound <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be a number and at least {bound}")


def build_optimizer(trainable: Iterable[Tensor], config: TrainConfig) -> torch.optim.Optimizer:
    """Tensors that get no gradient are left alone, by weight decay too."""
    if config.optimizer == "sgd":
        return torch.optim.SGD(trainable, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.Adam(trainable, lr=config.lr, weight_decay=config.weight_decay)


def learning_rate(epoch: int, config: TrainConfig) -> float:
    """Of an epoch counted from 0: constant in warm-up, then a cosine that would end `warmup_epochs` after the last."""
    if epoch < config.warmup_epochs:
        return config.warmup_lr
    return config.lr / 2 * (1 + math.cos(math.pi * (epoch - config.warmup_epochs) / config.epochs))
