"""Stops training where a number is no longer finite, and says which."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class TrainingError(ValueError):
    """Training that cannot go on; nothing of the step it names was kept."""


def check_losses(parts: Mapping[str, Tensor], where: str) -> None:
    bad = [f"{name} is {value.item()}" for name, value in parts.items() if not bool(value.detach().isfinite())]
    if bad:
        raise TrainingError(f"{where}: the loss is not finite ({', '.join(bad)}): {_REMEDY}")


def check_tensors(tensors: Mapping[str, Tensor], what: str, where: str) -> None:
    """`what` says whose values they are: "the gradient of", or nothing for the tensors themselves."""
    if finite(tensors.values()):
        return
    bad = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    raise TrainingError(f"{where}: {what}{_some(bad)} is not finite: {_REMEDY}")


def finite(tensors) -> bool:
    """Of all values, with one look at the device."""
    tensors = [tensor for tensor in tensors if tensor.numel()]
    # The greatest magnitude is NaN where any value is, and cannot overflow as a sum of squares does.
    return not tensors or bool(torch.nn.utils.get_total_norm(tensors, float("inf")).isfinite())


_REMEDY = "lower the learning rate, or compute in a wider type (precision)"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
