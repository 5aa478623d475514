"""Checks that losses, gradients and parameters are finite; a number that is not stops training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from bmip.system.messages import first_few

_REMEDY = "lower the learning rate, or compute in a wider type (precision)"


class TrainingError(ValueError):
    """Training cannot go on. The message names the step, which changed nothing that is saved."""


def largest(tensors: Iterable[Tensor]) -> Tensor:
    """The largest absolute value of all tensors, as a tensor on their device; not finite where any value is not."""
    # Unlike a sum of squares it cannot overflow where all values are finite.
    return torch.nn.utils.get_total_norm(list(tensors), float("inf"))


def check_losses(parts: Mapping[str, float], where: str) -> None:
    """Raises TrainingError where a part of the loss is not finite; `where` names the epoch and the step."""
    bad = [f"{name} is {value}" for name, value in parts.items() if not math.isfinite(value)]
    if bad:
        raise TrainingError(f"{where}: the loss is not finite ({first_few(bad)}): {_REMEDY}")


def check_tensors(tensors: Mapping[str, Tensor], what: str, where: str) -> None:
    """Raises TrainingError that names the tensors that are not finite.

    `what` says what they are: "the gradient of" or "the trainable parameter". `where` names the epoch and the step.
    """
    bad = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if bad:
        raise TrainingError(f"{where}: {what} {first_few(bad)} is not finite: {_REMEDY}")
