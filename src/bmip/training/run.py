"""One run: a method trained on a data set and judged on its test split."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bmip.clip.model import CLIP
from bmip.data.batches import TrainBatches
from bmip.data.dataset import Dataset, split_hash
from bmip.evaluation.evaluate import Predictions, accuracy_on, evaluate
from bmip.methods import build_model, method_config
from bmip.prompting.model import PromptedCLIP
from bmip.training.checkpoint import Origin, load_checkpoint, save_checkpoint
from bmip.training.config import TrainConfig
from bmip.training.epoch_selection import check_selection, concluded
from bmip.training.history import History, epochs_of
from bmip.training.loop import fit
from bmip.training.precision import use_precision
from bmip.training.progress import Tick
from bmip.training.run_folder import RunFolder, alone_in


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

    earlier: float = 0.0
    """Seconds of the epochs that other calls have trained in the folder."""


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
    check_selection(config.training, dataset)
    use_precision(clip, config.training.precision)
    origin = Origin(
        method=config.method,
        options=config.options,
        data=dataset.name,
        split_hash=split_hash(dataset),
        seeds={"data": config.data_seed, "init": config.init_seed},
        training=dataclasses.asdict(config.training),
    )
    if folder is None:
        return _trained(None, config, clip, dataset, origin, progress)
    defaults = {
        "options": dataclasses.asdict(method_config(config.method, {})),
        "training": dataclasses.asdict(TrainConfig()),
    }
    with alone_in(Path(folder)):
        run = RunFolder(folder, _written(config, origin, clip, dataset), clip.device, defaults=defaults)
        if run.complete:
            return _finished(run, config, clip, dataset)
        return _trained(run, config, clip, dataset, origin, progress)


def _trained(
    run: RunFolder | None,
    config: RunConfig,
    clip: CLIP,
    dataset: Dataset,
    origin: Origin,
    progress: Callable[[Tick], None] | None,
) -> Run:
    model = build_model(config.method, dict(config.options), clip, dataset.classes, seed=config.init_seed)
    batches = TrainBatches(
        dataset.train,
        clip.config.image_size,
        config.training.batch,
        config.data_seed,
        model.views,
        dataset.augmentation,
    )
    judge = config.validate or config.training.selection == "best-val"
    validate = accuracy_on(model, dataset.val, dataset.classes) if judge and dataset.val is not None else None
    began = time.monotonic()
    history = fit(model, batches, config.training, seed=config.init_seed, validate=validate, run=run, progress=progress)
    now = time.monotonic() - began
    if run is not None:
        save_checkpoint(run.path, model, origin)
    predictions = evaluate(model, dataset.test, dataset.classes)
    if run is not None:
        run.write_predictions(predictions)
        run.conclude()
    return Run(model, history, predictions, max(0.0, _seconds(history) - now))


def _written(config: RunConfig, origin: Origin, clip: CLIP, dataset: Dataset) -> dict[str, Any]:
    """config.json."""
    return {
        **dataclasses.asdict(origin),
        "options": dataclasses.asdict(method_config(config.method, dict(config.options))),
        "classes": dataclasses.asdict(dataset.classes),
        "backbone": {"source": clip.source, "sha256": clip.sha256},
        "augmentation": dataclasses.asdict(dataset.augmentation),
        "validate": config.validate,
        "trial": dict(config.trial),
    }


def _finished(run: RunFolder, config: RunConfig, clip: CLIP, dataset: Dataset) -> Run:
    run.conclude()
    model = load_checkpoint(run.path, clip)
    history = concluded(epochs_of(run.read_metrics()), config.training, averaged=model.method.average is not None)
    return Run(model, history, run.read_predictions(dataset.classes), _seconds(history))


def _seconds(history: History) -> float:
    return sum((epoch.seconds for epoch in history.epochs), 0.0)
