"""A protocol: what is trained on and what is judged. Its trials are values; the runner does the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bmip.data.dataset import Dataset
from bmip.protocols.trial import Trial


@dataclass(frozen=True, eq=False)
class Parts:
    train: Dataset
    """Few-shot draw and choice of classes made; its test split is judged after training."""

    judged: Mapping[str, Dataset]
    """The test split of each is classified among its own classes; `train` may be among them and is not judged twice."""


@dataclass(frozen=True)
class Protocol:
    name: str
    meaning: str
    """What its numbers say, in about three sentences."""

    parts: Callable[[Trial, Callable[[str], Dataset]], Parts]
    """From a trial and a function that loads data sets by name."""
