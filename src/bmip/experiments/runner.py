"""Runs trials, one after the other: what is done is skipped, what was interrupted goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.data.batches import eval_batches
from bmip.data.dataset import DataError, Dataset, split_hash
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.data.transforms import normalise
from bmip.evaluation.logits import LogitsError
from bmip.experiments.evaluated_parts import Parts, Trained
from bmip.experiments.presets import departures
from bmip.experiments.registry import protocol
from bmip.experiments.results import Results, Row
from bmip.experiments.trial import Trial, settings
from bmip.methods import build_model
from bmip.system.device import pick_device
from bmip.system.environment import environment
from bmip.training.config import TrainConfig
from bmip.training.finite import TrainingError
from bmip.training.precision import use_precision
from bmip.training.progress import Tick
from bmip.training.run import RunConfig, train


class ProgressListener:
    """Told how a run of trials goes on; this one keeps silent."""

    def begin(self, trial: Trial, number: int, count: int) -> None:
        """`number` is counted from 1."""

    def remark(self, text: str) -> None:
        """What a person should know about the data before trusting the result."""

    def tick(self, tick: Tick) -> None:
        """A training step was made."""

    def done(self, row: Row, *, skipped: bool) -> None:
        """Skipped means that the row was there already."""

    def failed(self, trial: Trial, error: Exception) -> None:
        """The other trials go on if it was its training that failed; anything else is raised afterwards."""


class TrialsFailed(ValueError):
    """Training of some trials came to no result; all others are done, and `rows` are theirs."""

    def __init__(self, rows: Sequence[Row], errors: Mapping[Trial, Exception]) -> None:
        self.rows = rows
        self.failures = [f"{trial.described()} ({_said(trial)}): {error}" for trial, error in errors.items()]
        super().__init__("; ".join(self.failures))


class Resources:
    """Backbones and data sets, each loaded once while it is in use."""

    def __init__(
        self,
        *,
        device: str = "auto",
        read: ReadConfig = ReadConfig(),
        load: Callable[[str, ReadConfig], Dataset] = load_dataset,
        backbone: Callable[[str], CLIP] = load_clip,
    ) -> None:
        self.device = pick_device(device)
        self._read = read
        self._load = load
        self._backbone = backbone
        self._datasets: dict[tuple[str, str], tuple[Dataset, str]] = {}
        self._clip: tuple[tuple[str, str], CLIP] | None = None

    def dataset(self, name: str, template: str = "") -> Dataset:
        return self._dataset(name, template)[0]

    def split_hash(self, name: str, template: str = "") -> str:
        return self._dataset(name, template)[1]

    def _dataset(self, name: str, template: str) -> tuple[Dataset, str]:
        if (name, template) not in self._datasets:
            dataset = self._load(name, replace(self._read, template=template))
            self._datasets[name, template] = dataset, split_hash(dataset)
        return self._datasets[name, template]

    def clip(self, name: str, precision: str) -> CLIP:
        """One at a time: frozen matrices stay in the precision they were last used in."""
        if self._clip is None or self._clip[0] != (name, precision):
            self._clip = None
            self._clip = (name, precision), self._backbone(name).to(self.device)
        return self._clip[1]


def run_trials(
    trials: Iterable[Trial],
    results: Results,
    *,
    runs: Path | str,
    resources: Resources,
    listener: ProgressListener | None = None,
) -> list[Row]:
    """The rows of all trials, in their order; those that are missing in the store are run and appended.

    A stored row counts if backbone and data are what they were. Each trial trains in a folder below `runs`, where it
    goes on if it was interrupted. Raises ValueError before any work for data that cannot be read, and for data or a
    method that do not fit the protocol; TrialsFailed at the end for trainings that diverged.
    """
    listener = listener or ProgressListener()
    trials = list(dict.fromkeys(trials))
    _check(trials, resources)
    stored = results.rows() if results.path.exists() else []
    rows: list[Row] = []
    diverged: dict[Trial, Exception] = {}
    for number, trial in enumerate(trials, 1):
        listener.begin(trial, number, len(trials))
        row = next((row for row in stored if row.trial == trial and _is_current(row, resources)), None)
        skipped = row is not None
        if row is None:
            training = protocol(trial.protocol).trained(trial)
            try:
                if training in diverged:
                    raise diverged[training]
                twin = next((row for row in stored if _same_without_training(row, trial, resources)), None)
                row = _run(trial, Path(runs), resources, listener) if twin is None else _of_twin(twin, trial)
            except (TrainingError, LogitsError) as error:
                diverged[training] = error
                listener.failed(trial, error)
                continue
            except Exception as error:
                listener.failed(trial, error)
                raise
            results.append(row)
            stored.append(row)
        rows.append(row)
        listener.done(row, skipped=skipped)
    if diverged:
        raise TrialsFailed(rows, diverged)
    return rows


def _said(trial: Trial) -> str:
    return ", ".join([f"preset {trial.preset}", *(f"{name}={value}" for name, value in trial.options + trial.training)])


def run_folder(trial: Trial, runs: Path | str, resources: Resources) -> Path:
    """Where the trial trains, with this backbone and data; trials that train on the same images share the folder."""
    clip = resources.clip(trial.backbone, train_config(trial).precision)
    trained = protocol(trial.protocol).trained(trial)
    return Path(runs) / trained.folder(clip.sha256, resources.split_hash(trial.data, trial.template))


def train_config(trial: Trial) -> TrainConfig:
    return TrainConfig(**dict(trial.training))  # type: ignore[arg-type]


def _check(trials: Sequence[Trial], resources: Resources) -> None:
    placed = {_judged_on(trial): trial for trial in trials}
    bare = [trial.data for trial in placed.values() if not len(_parts(trial, resources).train.train)]
    kinds = {(one.protocol, one.method, one.options, one.backbone, bool(one.target)): one for one in trials}
    for trial in kinds.values():
        parts = _parts(trial, resources)
        clip = resources.clip(trial.backbone, train_config(trial).precision)
        model = build_model(trial.method, dict(trial.options), clip, parts.train.classes, seed=0)
        if bare and model.trainable():
            raise DataError(f"{bare[0]} has no images to train on, which {trial.method} needs: leave out either")
        for dataset in parts.judged.values():
            try:
                model.check_classes(dataset.classes)
            except ValueError as error:
                raise ValueError(f"{trial.protocol} is not for {trial.method} as it is set: {error}") from error


def _judged_on(trial: Trial) -> tuple:
    """What the images and classes that are judged depend on."""
    drawn = trial.data_seed if protocol(trial.protocol).draws else 0
    return trial.protocol, trial.data, trial.target, trial.base, drawn


def _parts(trial: Trial, resources: Resources) -> Parts:
    return protocol(trial.protocol).parts(trial, lambda name: resources.dataset(name, trial.template))


def _is_current(row: Row, resources: Resources) -> bool:
    trial = row.trial
    clip = resources.clip(trial.backbone, train_config(trial).precision)
    return row.backbone == clip.sha256 and row.split == _split(trial, resources)


def _split(trial: Trial, resources: Resources) -> str:
    named = [trial.data, trial.target] if trial.target else [trial.data]
    return "+".join(resources.split_hash(name, trial.template) for name in named)


def _same_without_training(row: Row, trial: Trial, resources: Resources) -> bool:
    """Whether the row tells what the trial would, because nothing is learned and so nothing is drawn."""
    if row.trainable or row.trial.protocol != trial.protocol or protocol(trial.protocol).draws:
        return False
    drawn = {"data_seed": trial.data_seed, "init_seed": trial.init_seed, "shots": trial.shots}
    return replace(row.trial, **drawn) == trial and _is_current(row, resources)


def _of_twin(row: Row, trial: Trial) -> Row:
    return replace(row, trial=trial, seconds=0.0)


def _run(trial: Trial, runs: Path, resources: Resources, listener: ProgressListener) -> Row:
    training = train_config(trial)
    clip = resources.clip(trial.backbone, training.precision)
    found = protocol(trial.protocol)
    parts = _parts(trial, resources)
    for text in parts.train.remarks():
        listener.remark(text)
    use_precision(clip, training.precision)
    options: dict[str, Any] = dict(trial.options)
    model = build_model(trial.method, options, clip, parts.train.classes, seed=0)
    trainable = sum(tensor.numel() for tensor in model.trainable().values())
    started, template, own, earlier = time.monotonic(), None, None, 0.0
    if not trainable:
        phrased_by = parts.phrased_by or resources.dataset(trial.data, trial.template)
        if phrased_by.classes.templates:
            template = best_template(trial, clip, phrased_by)
            parts = _with_template(parts, template)
    if trainable or parts.train in parts.judged.values():
        config = RunConfig(
            method=trial.method,
            options=options,
            training=training,
            data_seed=trial.data_seed,
            init_seed=trial.init_seed,
            trial=found.trained(trial).to_json(),
        )
        run = train(config, clip, parts.train, run_folder(trial, runs, resources), progress=listener.tick)
        model, own, earlier = run.model, run.predictions, run.earlier
    judged = found.judge(Trained(trial, model, parts, own))
    return Row(
        trial=trial,
        counts=judged.counts,
        scores=judged.scores,
        trainable=trainable,
        seconds=round(time.monotonic() - started + earlier, 2),
        backbone=clip.sha256,
        split=_split(trial, resources),
        environment=environment(resources.device),
        template=template,
        changed=settings(departures(trial.method, trial.preset, options, dict(trial.training))),
    )


def best_template(trial: Trial, clip: CLIP, dataset: Dataset) -> str:
    """The data set's sentence with which the untrained method is best on the validation images of all classes.

    The plain one where these are the test images, or there are none. Of equal ones the first.
    """
    classes = dataset.classes
    if dataset.val is None or dataset.val_is_test:
        return classes.template
    named = [replace(classes, template=text) for text in dict.fromkeys((classes.template, *classes.templates))]
    models = [build_model(trial.method, dict(trial.options), clip, each, seed=0) for each in named]
    use_precision(clip, train_config(trial).precision)
    # The images' features know no template: they are computed once.
    device, config = clip.device, clip.config
    right = [0] * len(named)
    texts = [model.class_features(each)[0] for model, each in zip(models, named, strict=True)]
    for pixels, labels in eval_batches(dataset.val, config.image_size):
        images = models[0].image_features(normalise(pixels.to(device), config.mean, config.std))
        for position, text in enumerate(texts):
            right[position] += int(((images @ text.T).argmax(-1).cpu() == labels).sum())
    return named[right.index(max(right))].template


def _with_template(parts: Parts, template: str) -> Parts:
    def renamed(dataset: Dataset) -> Dataset:
        return replace(dataset, classes=replace(dataset.classes, template=template))

    train_on = renamed(parts.train)
    judged = {name: train_on if dataset is parts.train else renamed(dataset) for name, dataset in parts.judged.items()}
    return replace(parts, train=train_on, judged=judged)
