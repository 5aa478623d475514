"""Reads files of `torch.save`. No code that a file brings along is run."""

from __future__ import annotations

import pickle
import warnings
from io import BytesIO
from pathlib import Path

import torch

from bmip.system.messages import first_line


class MoreThanTensors(ValueError):
    """The file holds objects that could run code. It was not opened."""


class Damaged(ValueError):
    """The file cannot be read. The text is the reason, in one line."""


def load_pickle(source: Path | BytesIO) -> object:
    """What `torch.save` wrote, on the CPU. Raises MoreThanTensors and Damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd files, which end in the errors below
            return torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "weights_only" not in str(error).lower() and "weights only" not in str(error).lower():
            raise Damaged(first_line(error)) from error
        raise MoreThanTensors from error
    except Exception as error:  # what a damaged pickle raises is anybody's guess
        raise Damaged(first_line(error)) from error
