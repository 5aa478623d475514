"""How trainable parameters are trained: the settings, and the learning rate of each epoch. (Dassl, as released)"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from bmip.clip.precision import Precision
from bmip.system.messages import nearest

OptimizerName = Literal["sgd", "adam", "adamw"]
Selection = Literal["last", "best-val"]
Schedule = Literal["epoch", "step"]


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one training.

    Raises ValueError for a setting of another type or out of range, and for a warm-up that would never end.
    """

    epochs: int = 10
    """Passes over the training images."""

    steps_per_shot: int = 0
    """Train this many steps for each shot in place of `epochs`, rounded to whole epochs. 0: `epochs` holds."""

    batch: int = 4
    """Images per step. An incomplete last batch is dropped where there is a complete one."""

    optimizer: OptimizerName = "sgd"
    """SGD with momentum, Adam, or AdamW."""

    lr: float = 0.002
    """Learning rate after the warm-up epochs; it falls along a cosine."""

    warmup_epochs: int | None = None
    """Epochs at the start that are trained with `warmup_lr`, fewer than all. By default one, and none if there is only
    one epoch."""

    warmup_lr: float = 1e-5
    """Learning rate of every warm-up epoch."""

    schedule: Schedule = "epoch"
    """When the learning rate falls along its cosine: after every epoch, or after every step."""

    final_lr: float = 0.0
    """What the cosine falls to."""

    weight_decay: float = 5e-4
    """This share of each trainable parameter is added to its gradient, for Adam too. AdamW takes it off the parameter
    itself, times the learning rate."""

    momentum: float = 0.9
    """Momentum of SGD; the others do not use it."""

    eps: float = 1e-8
    """What Adam and AdamW add to the root of the mean square, by which they divide."""

    precision: Precision = "float32"
    """Number type in which the frozen towers compute. Trainable parameters, gates and the loss are float32."""

    selection: Selection = "last"
    """The epoch whose parameters are kept: the last one, or the one with the best validation accuracy."""

    patience: int = 4
    """With best-val, training stops after this many epochs without a better validation accuracy."""

    min_epochs: int = 5
    """With best-val, training does not stop before this many epochs."""

    def __post_init__(self) -> None:
        choices = {"optimizer": OptimizerName, "precision": Precision, "selection": Selection, "schedule": Schedule}
        for name, choice in choices.items():
            if getattr(self, name) not in get_args(choice):
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(get_args(choice))}")
        _check_number("epochs", self.epochs, int, 1)
        if self.warmup_epochs is None:
            object.__setattr__(self, "warmup_epochs", min(1, self.epochs - 1))
        leasts = {"steps_per_shot": 0, "batch": 1, "warmup_epochs": 0, "patience": 1, "min_epochs": 0}
        for name, least in leasts.items():
            _check_number(name, getattr(self, name), int, least)
        for name in ("lr", "warmup_lr", "final_lr", "weight_decay", "momentum", "eps"):
            _check_number(name, getattr(self, name), float, 0)
        warmup = self.warmup_epochs or 0
        if warmup >= self.epochs and not self.steps_per_shot:
            raise ValueError(
                f"warmup_epochs is {warmup} and epochs is {self.epochs}, so no epoch would be trained with lr: set "
                f"warmup_epochs to at most {self.epochs - 1} (--warmup-epochs), or train more epochs"
            )


def _check_number(name: str, value: object, kind: type[int] | type[float], least: int) -> None:
    """Raises ValueError unless this is a finite number, not below `least`. A truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, kind)) or not least <= value < math.inf:
        what = "whole number" if kind is int else "number"
        raise ValueError(f"{name} is {value!r}; it must be a {what} and at least {least}")


def learning_rate(epoch: int, config: TrainConfig, *, done: float = 0.0) -> float:
    """The learning rate of an epoch, counted from 0: `warmup_lr` in the warm-up, then a cosine from `lr` to `final_lr`.

    The cosine would reach its end `warmup_epochs` after the last epoch, as in the released code. `done` is the share of
    the epoch's steps that are done; it counts where the rate falls after every step.
    """
    warmup = config.warmup_epochs or 0
    if epoch < warmup:
        return config.warmup_lr
    past = epoch - warmup + (done if config.schedule == "step" else 0.0)
    return config.final_lr + (config.lr - config.final_lr) / 2 * (1 + math.cos(math.pi * past / config.epochs))


def in_epochs(config: TrainConfig, *, shots: int, steps: int) -> TrainConfig:
    """The settings for so many shots, with `epochs` as they follow from `steps_per_shot` where that is given.

    `steps` is the number of steps in an epoch.
    """
    if not config.steps_per_shot:
        return config
    return replace(config, epochs=max((config.warmup_epochs or 0) + 1, round(config.steps_per_shot * shots / steps)))


def over_preset(preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a preset with those that were given in their place; given epochs replace `steps_per_shot`."""
    kept = {name: value for name, value in preset.items() if name != "steps_per_shot" or "epochs" not in given}
    return {**kept, **given}


def train_config(values: Mapping[str, Any]) -> TrainConfig:
    """The settings with these departures from the defaults, such as `dict(spec.training)`.

    Raises ValueError for a setting that does not exist, with the nearest right name, and for a value out of range.
    """
    known = [field.name for field in fields(TrainConfig)]
    for name in values:
        if name not in known:
            raise ValueError(f"training has no setting {name!r}: {nearest(name, known, 'it has')}")
    return TrainConfig(**values)
