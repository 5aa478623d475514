"""Runs trials one after the other. Stored rows are kept, and an interrupted training goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from bmip.data.dataset import DataError
from bmip.evaluation.logits import LogitsError
from bmip.experiments.execute import execute
from bmip.experiments.listener import ProgressListener
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.stored import find_row, find_untrained
from bmip.experiments.trial import Trial
from bmip.methods import build_model
from bmip.training.finite import TrainingError


class TrialsFailed(ValueError):
    """Some trainings diverged. All other trials are done; `rows` are theirs, `failures` has one text per failed run."""

    def __init__(self, rows: Sequence[Row], errors: Mapping[Trial, Exception]) -> None:
        self.rows = rows
        self.failures = [f"{trial.described()} ({_settings(trial)}): {error}" for trial, error in errors.items()]
        super().__init__("; ".join(self.failures))


def run_trials(
    trials: Iterable[Trial],
    results: Results,
    *,
    runs: Path | str,
    resources: Resources,
    listener: ProgressListener | None = None,
) -> list[Row]:
    """The rows of all trials, in their order. Those that are not stored in `results` are made and appended.

    A stored row counts if backbone and data are what they were. Each run has its folder below `runs`.

    Raises:
        ValueError: before any work, for data that cannot be read, and for data or a method that do not fit the
            protocol.
        TrialsFailed: at the end, for trainings that diverged.
    """
    listener = listener or ProgressListener()
    trials = list(dict.fromkeys(trials))
    check_trials(trials, resources)
    stored = results.rows() if results.path.exists() else []
    rows: list[Row] = []
    diverged: dict[Trial, Exception] = {}
    number = 0
    for _, group in groupby(trials, lambda trial: trial.run):
        members = list(group)
        met = {trial: resources.circumstances(trial) for trial in members}
        known = {trial: find_row(stored, trial, met[trial]) for trial in members}
        free = {trial: find_untrained(stored, trial, met[trial]) for trial in members if known[trial] is None}
        made = execute(
            [trial for trial, row in free.items() if row is None], runs, resources=resources, listener=listener
        )
        error: Exception | None = None
        for trial in members:
            number += 1
            listener.begin(trial, number, len(trials))
            row = known[trial]
            skipped = row is not None
            if row is None:
                try:
                    if error is not None:
                        raise error
                    row = free[trial] or next(made)
                except (TrainingError, LogitsError) as failure:
                    if error is None:
                        diverged[trial] = error = failure
                    listener.failed(trial, failure)
                    continue
                except Exception as failure:
                    listener.failed(trial, failure)
                    raise
                results.append(row)
                stored.append(row)
            rows.append(row)
            listener.done(row, skipped=skipped)
    if diverged:
        raise TrialsFailed(rows, diverged)
    return rows


def check_trials(trials: Sequence[Trial], resources: Resources) -> None:
    """Raises ValueError before any work: for data that cannot be read, and for what does not fit the protocol."""
    placed = {_evaluated_on(trial): trial for trial in trials}
    bare = [trial.run.data for trial in placed.values() if not len(resources.parts(trial).train.train)]
    kinds = {(one.protocol, one.run.method, one.run.options, one.run.backbone, bool(one.target)): one for one in trials}
    for trial in kinds.values():
        run, parts = trial.run, resources.parts(trial)
        model = build_model(run.method, dict(run.options), resources.clip_for(run), parts.train.classes, seed=0)
        if bare and model.trainable():
            raise DataError(f"{bare[0]} has no images to train on, which {run.method} needs: leave out either")
        for dataset in parts.evaluated.values():
            try:
                model.check_classes(dataset.classes)
            except ValueError as error:
                raise ValueError(f"{trial.protocol} is not for {run.method} as it is set: {error}") from error


def _settings(trial: Trial) -> str:
    run = trial.run
    return ", ".join([f"preset {run.preset}", *(f"{name}={value}" for name, value in run.options + run.training)])


def _evaluated_on(trial: Trial) -> tuple:
    """What the evaluated images and classes depend on."""
    drawn = trial.run.data_seed if protocol(trial.protocol).draws else 0
    return trial.protocol, trial.run.data, trial.target, trial.run.base, drawn
