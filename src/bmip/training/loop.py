"""The training loop. It is the same for all methods."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from bmip.data.transforms import normalise
from bmip.metrics import accuracy
from bmip.prompting.model import PromptedCLIP
from bmip.system.seeds import seeded
from bmip.training.config import TrainConfig, learning_rate
from bmip.training.epoch_selection import concluded, finished, selected
from bmip.training.finite import TrainingError, check_losses, check_tensors, largest
from bmip.training.history import EpochMetrics, History, rows_of
from bmip.training.progress import Tick
from bmip.training.run_folder import RunFolder
from bmip.training.state import State


@runtime_checkable
class Batches(Protocol):
    """What `fit` trains on, such as `bmip.data.batches.TrainBatches`.

    The batches of an epoch must depend on its number only, so that training can resume at any epoch.
    """

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        ...

    def epoch(self, number: int, /) -> Iterator[tuple[list[Tensor], Tensor]]:
        """The batches of an epoch, counted from 0: uint8 (image, 3, size, size) for each view, and the labels."""
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
    """Train the model's trainable parameters in place, on the model's device. No global random generator is used.

    Args:
        model: its CLIP is in float32, and is then changed to the precision of `config`, or in that precision already.
        train: the batches of each epoch.
        config: the training settings.
        seed: what a method draws while it trains, such as dropout, depends on it.
        validate: returns the model's validation accuracy in percent. It is called after every epoch; selection
            "best-val" needs it.
        run: metrics and state are written here after every epoch. Training resumes from a state that is there.
        progress: called after every step.

    Raises:
        TrainingError: where a loss, a gradient, a trainable parameter or the validation accuracy is not finite. The
            state on disk is that of the epoch before.
        ValueError: for "best-val" without `validate` or with a method that averages over epochs, and for batches with
            too few views.
    """
    model.clip.set_precision(config.precision)
    trainable, average = model.trainable(), model.method.average
    if not trainable or (model.head and not model.head.trained):
        return History()
    if config.selection == "best-val":
        if validate is None:
            raise ValueError("selection 'best-val' needs a validation split: give one or use selection 'last'")
        if average is not None:
            raise ValueError(
                "selection 'best-val' keeps one epoch's tensors and this method averages over epochs: use 'last'"
            )
    state = State(trainable, config)
    if run is not None and (saved := run.read_state()) is not None:
        state.restore(saved)
        run.write_metrics(rows_of(state.epochs))

    while not finished(state.epochs, config):
        began, epoch = time.perf_counter(), len(state.epochs)
        means, hits = _train_epoch(model, train, config, state, seed, progress)
        losses = {name: value for name, value in means.items() if name not in model.guides}
        guides = {name: value for name, value in means.items() if name in model.guides}
        check_tensors(trainable, "the trainable parameter", f"after epoch {epoch + 1}")
        validated = None if validate is None else validate()
        if validated is not None and not math.isfinite(validated):
            raise TrainingError(f"after epoch {epoch + 1}: the validation accuracy is {validated}: it must be a number")
        lr, seconds = learning_rate(epoch, config), time.perf_counter() - began
        state.epochs += (EpochMetrics(epoch + 1, lr, losses, hits, validated, seconds, guides),)
        if config.selection == "best-val" and selected(state.epochs).since == 0:
            state.best = state.tensors()
        if average is not None:
            state.mean.add(trainable, average.weight(epoch, config.epochs))
        if run is not None:
            run.write_state(state.saved())
            run.write_metrics(rows_of(state.epochs))

    if average is not None:
        model.load_trainable(state.mean.mean())
    elif config.selection == "best-val":
        model.load_trainable(state.best)
    model.zero_grad()
    model.eval()
    return concluded(state.epochs, config, averaged=average is not None)


def _train_epoch(
    model: PromptedCLIP,
    train: Batches,
    config: TrainConfig,
    state: State,
    seed: int,
    progress: Callable[[Tick], None] | None,
) -> tuple[dict[str, float], float]:
    """The mean of each part of the loss and of each guide, and the accuracy."""
    epoch = len(state.epochs)
    device, mean, std = model.clip.device, model.clip.config.mean, model.clip.config.std
    val = state.epochs[-1].val_accuracy if state.epochs else None
    sums: dict[str, float] = {}
    correct, total = torch.zeros((), dtype=torch.int64, device=device), 0
    model.train()
    model.clip.eval()
    try:
        with seeded(device, seed, epoch):
            for step, (views, labels) in enumerate(train.epoch(epoch), start=1):
                if len(views) < model.views:
                    raise ValueError(f"{len(views)} views of each image came; this method needs {model.views}")
                pixels = [normalise(view.to(device), mean, std) for view in views]
                lr = learning_rate(epoch, config, done=(step - 1) / len(train))
                where = f"epoch {epoch + 1}, step {step} of {len(train)}"
                labels = labels.to(device)
                losses = model.losses(pixels, labels)
                parts = _step(model, losses.parts, state, lr, where)
                correct += (losses.logits.argmax(-1) == labels).sum()
                total += len(labels)
                for name, value in parts.items():
                    sums[name] = sums.get(name, 0.0) + value
                if progress is not None:
                    loss = sum(value for name, value in parts.items() if name not in model.guides)
                    progress(Tick(epoch + 1, config.epochs, step, len(train), loss, val))
    finally:
        model.eval()
    return {name: value / len(train) for name, value in sums.items()}, accuracy(int(correct), total)


def _step(model: PromptedCLIP, parts: Mapping[str, Tensor], state: State, lr: float, where: str) -> dict[str, float]:
    """Step along the gradient of the parts of the loss; returns their values."""
    state.optimizer.zero_grad()
    model.backward(parts, state.scale.scale)
    grads = {name: tensor.grad for name, tensor in state.trainable.items() if tensor.grad is not None}
    if state.scale.scale != 1:
        for grad in grads.values():
            grad.div_(state.scale.scale)
    # One look at the device for all that is checked.
    *values, steepest = torch.stack([*(part.detach() for part in parts.values()), largest(grads.values())]).tolist()
    found = dict(zip(parts, values, strict=True))
    check_losses(found, where)
    if math.isfinite(steepest):
        state.optimizer.step(lr)
        state.scale.succeeded()
    elif state.scale.can_shrink:
        state.scale.shrink()  # and leave this step out
    else:
        check_tensors(grads, "the gradient of", where)
    return found
