"""One run: a method trained on a data set and evaluated on its test split."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bmip.clip.model import CLIP
from bmip.data.batches import TrainBatches, steps_in_epoch
from bmip.data.dataset import Dataset, split_hash
from bmip.evaluation.evaluate import Predictions, accuracy_on, evaluate
from bmip.evaluation.gauges import reading
from bmip.evaluation.logits import LogitsError
from bmip.methods import build_model
from bmip.prompting.checkpoint import read_checkpoint
from bmip.prompting.model import PromptedCLIP
from bmip.run_spec import RunSpec
from bmip.system.seeds import seeded
from bmip.training.config import TrainConfig, in_epochs, train_config
from bmip.training.epoch_selection import check_selection, concluded
from bmip.training.finite import TrainingError
from bmip.training.history import EpochMetrics, History, epochs_of
from bmip.training.loop import fit
from bmip.training.progress import Tick
from bmip.training.run_folder import RunFolder, alone_in, read_metrics
from bmip.training.support import fit_head


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run."""

    model: PromptedCLIP
    history: History
    predictions: Predictions
    """The predictions for the data set's test split."""

    earlier: float = 0.0
    """Seconds of the epochs that earlier calls have trained in the folder."""

    evaluation: float = 0.0
    """Seconds in which this call has evaluated the test split; 0 where an earlier one did."""


def train(
    spec: RunSpec,
    clip: CLIP,
    dataset: Dataset,
    folder: str | Path | None = None,
    *,
    validate: bool = False,
    progress: Callable[[Tick], None] | None = None,
) -> Run:
    """Trains and evaluates. With a folder everything is kept there, and nothing is done twice.

    Args:
        spec: what is trained, and how. Its data set, shots and classes are kept as a record: `dataset` is what is
            trained on, with few-shot draw and choice of classes already made.
        clip: the backbone; its matrices are set to the precision of the spec.
        dataset: what is trained on. Use `run.model` to evaluate other classes or splits afterwards:
            `evaluate(run.model, novel.test, novel.classes)`.
        folder: a run folder. A run that was interrupted there goes on, a finished one is only read.
        validate: evaluate the validation split after every epoch even where the selection of an epoch does not need it.
        progress: called after every step.

    Raises:
        ValueError: for settings that do not exist or do not fit the method, the CLIP or the data set.
        OtherRunError: where the folder holds another run, or the same one of other images or another backbone.
        TrainingError: where training diverges.
    """
    model = build_model(spec.method, dict(spec.options), clip, dataset.classes, seed=spec.init_seed)
    return train_model(model, spec, dataset, folder, validate=validate, progress=progress)


def train_model(
    model: PromptedCLIP,
    spec: RunSpec,
    dataset: Dataset,
    folder: str | Path | None = None,
    *,
    validate: bool = False,
    progress: Callable[[Tick], None] | None = None,
) -> Run:
    """As `train`, for a model that was just built for this spec."""
    config = _describe(model, spec, dataset)
    if folder is None:
        return _trained(None, model, config, dataset, validate, progress)
    written = {
        **model.described().to_json(),
        "places": spec.places(),
        "data": dataset.name,
        "augmentation": dataclasses.asdict(dataset.augmentation),
    }
    with alone_in(Path(folder)):
        run = RunFolder(folder, written, model.clip.device)
        if run.complete:
            return _finished(run, model, config)
        try:
            return _trained(run, model, config, dataset, validate, progress)
        except (TrainingError, LogitsError) as error:
            run.fail(str(error))
            raise


def train_without_test(
    model: PromptedCLIP, spec: RunSpec, dataset: Dataset, *, progress: Callable[[Tick], None] | None = None
) -> History:
    """As `train_model` without a folder, for a data set whose test split may be empty: nothing is evaluated."""
    return _fitted(None, model, _describe(model, spec, dataset), dataset, False, progress)


def stored_history(model: PromptedCLIP, place: Path) -> History | None:
    """How the training of a loaded model went; None where its prompts do not lie in the folder of their run.

    Raises RunFolderError where the folder is damaged.
    """
    epochs = epochs_of(read_metrics(place if place.is_dir() else place.parent))
    return _history(model, epochs, train_config(dict(model.described().training))) if epochs else None


def _describe(model: PromptedCLIP, spec: RunSpec, dataset: Dataset) -> TrainConfig:
    """Notes in the model what it is about to be trained on, and returns the settings, which are checked before."""
    config = train_config(dict(spec.training))
    images = len(dataset.train)
    shots = spec.shots or math.ceil(images / len(dataset.classes))
    config = in_epochs(config, shots=shots, steps=steps_in_epoch(images, config.batch))
    check_selection(config, dataset)
    model.clip.set_precision(config.precision)
    model.description = replace(
        model.described(),
        spec=spec,
        training=dataclasses.asdict(config),
        split_hash=split_hash(dataset),
        places=spec.places(),
    )
    return config


def _fitted(
    run: RunFolder | None,
    model: PromptedCLIP,
    config: TrainConfig,
    dataset: Dataset,
    validate: bool,
    progress: Callable[[Tick], None] | None,
) -> History:
    spec = model.described().spec
    batches = TrainBatches(
        dataset.train,
        model.clip.config.image_size,
        config.batch,
        spec.data_seed,
        model.views,
        dataset.augmentation,
    )
    val = dataset.val if validate or config.selection == "best-val" else None
    validation = None if val is None else accuracy_on(model, val, dataset.classes)
    chosen_on = None
    if model.head:
        with seeded(model.clip.device, spec.init_seed, "head"):
            chosen_on = fit_head(model, model.head, dataset, spec.data_seed)
    history = fit(model, batches, config, seed=spec.init_seed, validate=validation, run=run, progress=progress)
    if model.head and chosen_on:
        model.head.choose(chosen_on)
    return history


def _trained(
    run: RunFolder | None,
    model: PromptedCLIP,
    config: TrainConfig,
    dataset: Dataset,
    validate: bool,
    progress: Callable[[Tick], None] | None,
) -> Run:
    began = time.monotonic()
    history = _fitted(run, model, config, dataset, validate, progress)
    now = time.monotonic() - began
    if run is not None:
        model.save_pretrained(run.path)
    evaluating = time.monotonic()
    with reading(model) as readings:
        predictions = evaluate(model, dataset.test, dataset.classes)
    evaluation = time.monotonic() - evaluating
    if run is not None:
        run.write_gauges(readings)
        run.write_predictions(predictions)
        run.conclude()
    return Run(model, history, predictions, max(0.0, _seconds(history) - now), evaluation)


def _finished(run: RunFolder, model: PromptedCLIP, config: TrainConfig) -> Run:
    run.conclude()
    model.load_learned(read_checkpoint(run.path)[1])
    history = _history(model, epochs_of(read_metrics(run.path)), config)
    return Run(model, history, run.read_predictions(model.classes), _seconds(history))


def _history(model: PromptedCLIP, epochs: tuple[EpochMetrics, ...], config: TrainConfig) -> History:
    return concluded(epochs, config, averaged=model.method.average is not None)


def _seconds(history: History) -> float:
    return sum((epoch.seconds for epoch in history.epochs), 0.0)
