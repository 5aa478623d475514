"""One run: a method trained on a data set and judged on its test split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmip.clip.model import CLIP
from bmip.data.dataset import Dataset
from bmip.evaluate import Predictions
from bmip.method import PromptedCLIP
from bmip.training.history import History
from bmip.training.optimisation import TrainConfig
from bmip.training.progress import Tick


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """Departures from the method's Config."""

    training: TrainConfig = field(default_factory=TrainConfig)
    data_seed: int = 1
    """Of the order and augmentation of the training images."""

    init_seed: int = 1
    """Of the initial prompts, and of what a method draws while it trains."""

    validate: bool = False
    """Judge the validation split after every epoch even where selection does not need it."""

    trial: Mapping[str, Any] = field(default_factory=dict)
    """What else tells this run from others (protocol, shots, ...); written down and compared, not read."""


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run."""

    model: PromptedCLIP
    history: History
    predictions: Predictions
    """Of the data set's test split."""


def train(
    config: RunConfig,
    clip: CLIP,
    dataset: Dataset,
    folder: str | Path | None = None,
    *,
    progress: Callable[[Tick], None] | None = None,
) -> Run:
    """Train and judge; with a folder, keep everything there, go on with what was interrupted, and do nothing twice.

    `dataset` is what is trained on: few-shot draw and choice of classes are already made. Use `run.model` to judge
    other classes or splits: `evaluate(run.model, novel.test, novel.classes)`.
    """
    raise NotImplementedError
