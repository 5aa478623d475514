"""Why a trial has no row: a kind that a program can read, and a cause for a person."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import Literal

import torch

from bmip.evaluation.logits import LogitsError
from bmip.training.finite import TrainingError

Kind = Literal["diverged", "memory", "time", "data", "crash"]

_NO_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")
"""What torch says in a RuntimeError where memory is short."""


class TooLong(RuntimeError):
    """A training took longer than its limit."""


@dataclass(frozen=True)
class Failure:
    """Why a trial has no row."""

    kind: Kind
    """Training diverged; memory was short; the time limit was over; data or settings do not fit; anything else."""

    cause: str
    """What happened, in one line."""

    details: str = ""
    """The traceback of what nobody expected; empty for the other kinds."""


def failure_of(error: Exception) -> Failure:
    """The failure that an exception stands for."""
    cause = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (TrainingError, LogitsError)):
        return Failure("diverged", cause)
    if isinstance(error, TooLong):
        return Failure("time", cause)
    if _is_short_of_memory(error):
        return Failure("memory", f"out of memory: {cause[:300]}")
    if isinstance(error, (ValueError, OSError)):
        return Failure("data", cause)
    return Failure("crash", f"{type(error).__name__}: {cause}", "".join(traceback.format_exception(error)))


def _is_short_of_memory(error: Exception) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _NO_MEMORY)
