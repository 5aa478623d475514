"""Executes a group of trials that share one training.

All that goes in and comes out are plain values, so the work can be done in another process or on another machine.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath

from bmip.data.shots import shots_hash
from bmip.evaluation.prediction_files import write_predictions
from bmip.experiments.evaluated_parts import LabelsAndLogits, Parts, Trained, few_shot
from bmip.experiments.listener import ProgressListener
from bmip.experiments.presets import departures
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Row
from bmip.experiments.template_choice import best_template, with_template
from bmip.experiments.trial import Trial
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.run_spec import folder_name, settings
from bmip.system.clock import utc_now
from bmip.system.environment import code, environment
from bmip.system.peak_memory import Peak, PeakMemory
from bmip.training.precision import slow_precision
from bmip.training.run import Run, train_model
from bmip.training.run_folder import EVALUATED, OtherRunError, set_aside


@dataclass(frozen=True)
class Effort:
    """What was spent on a trial."""

    training: float
    """Seconds of training."""

    evaluation: float
    """Seconds of evaluation."""

    peak: Peak
    """The most memory that was held."""


def execute(
    trials: Sequence[Trial],
    runs: Path | str,
    *,
    device: str = "auto",
    resources: Resources | None = None,
    listener: ProgressListener | None = None,
) -> Iterator[Row]:
    """Trains once what all the trials share, evaluates each of them, and yields its row.

    Args:
        trials: trials with equal `run`.
        runs: the folder below which the run has its folder (`RunSpec.folder`). A run that was interrupted there goes
            on; a run of other images or of another backbone is set aside under another name.
        device: where to compute, if no resources are given.
        resources: loaded backbones and data sets, to load nothing twice in one process.

    Raises:
        TrainingError: where training diverges.
        BusyError: where another process trains in the run's folder.
        LogitsError: where the logits of the trained model are not finite.
        DataError: for data that cannot be read or do not fit the protocol.
    """
    code()  # as it is before the work, not after it
    resources, listener = resources or Resources(device=device), listener or ProgressListener()
    shared: tuple[Run, Effort] | None = None
    known: dict[Hashable, LabelsAndLogits] = {}
    for trial in trials:
        parts = resources.parts(trial)
        if shared is None:
            slow = slow_precision(trial.run.precision, resources.device)
            for text in (*parts.train.remarks(), *([slow] if slow else [])):
                listener.remark(text)
            model = _model(trial, parts, resources)
            if not model.trainable():
                yield _untrained_row(trial, parts, model, Path(runs), resources, listener)
                continue
            began, memory = time.monotonic(), PeakMemory(resources.device)
            run = _trained(model, trial, parts, Path(runs), listener)
            training = time.monotonic() - began - run.evaluation + run.earlier
            shared = run, Effort(training, run.evaluation, memory.read())
        run, effort = shared
        free = replace(effort, evaluation=0.0)
        if _evaluates_own(parts):
            shared = run, free  # in this trial's row, and in no other
        else:
            effort = free
        yield _row(Trained(trial, run.model, parts, run.predictions, known), effort, Path(runs), resources)


def _model(trial: Trial, parts: Parts, resources: Resources) -> PromptedCLIP:
    run = trial.run
    clip = resources.clip_for(run)
    return build_model(run.method, dict(run.options), clip, parts.train.classes, seed=run.init_seed)


def _trained(model: PromptedCLIP, trial: Trial, parts: Parts, runs: Path, listener: ProgressListener) -> Run:
    folder, tick = runs / trial.run.folder, partial(listener.tick, trial)
    try:
        return train_model(model, trial.run, parts.train, folder, progress=tick)
    except OtherRunError as error:
        aside = set_aside(folder)
        listener.remark(f"{error.differences}; the earlier run now lies in {aside}")
        return train_model(model, trial.run, parts.train, folder, progress=tick)


def _untrained_row(
    trial: Trial, parts: Parts, model: PromptedCLIP, runs: Path, resources: Resources, listener: ProgressListener
) -> Row:
    began, memory = time.monotonic(), PeakMemory(resources.device)
    template, own = None, None
    chosen_on = parts.template_from or resources.dataset(trial.run.data, trial.run.read)
    if chosen_on.classes.templates and not trial.run.read.template:
        template = best_template(model, chosen_on)
    if template is not None:
        parts = with_template(parts, template)
        model = _model(trial, parts, resources)
    if _evaluates_own(parts) and len(parts.train.train):  # data to be evaluated on may have no other images
        own = _trained(model, trial, parts, runs, listener).predictions
    effort = Effort(0.0, time.monotonic() - began, memory.read())
    row = _row(Trained(trial, model, parts, own), effort, runs, resources)
    return replace(row, template=template)


def _evaluates_own(parts: Parts) -> bool:
    """Whether the test split that is evaluated after training is one of those that the protocol evaluates."""
    return any(dataset is parts.train for dataset in parts.evaluated.values())


def _row(trained: Trained, effort: Effort, runs: Path, resources: Resources) -> Row:
    """Evaluates a trial for which `effort` was spent so far, and keeps its predictions in the run's folder."""
    began, memory, trial = time.monotonic(), PeakMemory(resources.device), trained.trial
    run, hashes = trial.run, resources.hashes(trial)
    chunked = {} if resources.chunk_tokens is None else {"chunk_tokens": resources.chunk_tokens}
    evaluated = protocol(trial.protocol).evaluate(trained)
    spent, peak = time.monotonic() - began, memory.read().with_other(effort.peak)
    for part, predictions in evaluated.predictions.items():
        file = runs / predictions_file(trial, part)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_predictions(file, predictions)
    trainable = sum(tensor.numel() for tensor in trained.model.trainable().values())
    return Row(
        trial=trial,
        counts=evaluated.counts,
        scores=evaluated.scores,
        trainable=trainable,
        training_seconds=round(effort.training, 2),
        evaluation_seconds=round(effort.evaluation + spent, 2),
        peak_memory=peak.cpu,
        peak_gpu_memory=peak.gpu,
        **vars(hashes),
        draw=_draw(trial, resources) if trainable and run.shots else "",
        environment={**environment(resources.device), **chunked},
        changed=settings(departures(run)),
        time=utc_now(),
    )


def predictions_file(trial: Trial, part: str) -> PurePath:
    """The path below the folder of the runs at which a trial's predictions for a part are kept."""
    target = folder_name(trial.target) if trial.target else ""
    if target != trial.target:  # the last part of a path, which others may share
        target += f"-{hashlib.sha256(trial.target.encode()).hexdigest()[:6]}"
    return PurePath(trial.run.folder, EVALUATED, "-".join(filter(None, (trial.protocol, target, part))) + ".csv")


def _draw(trial: Trial, resources: Resources) -> str:
    """The hash of the images that were drawn from all classes."""
    return shots_hash(few_shot(trial, lambda name: resources.dataset(name, trial.run.read)))
