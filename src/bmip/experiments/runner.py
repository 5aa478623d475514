"""Runs trials one after the other. Stored rows are kept, and an interrupted training goes on.

Several processes may run the same trials with one file of results and one folder of runs. They share the work: each
leaves out the runs that another one works at, and comes back to them at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from filelock import FileLock, Timeout

from bmip.data.dataset import DataError
from bmip.evaluation.logits import LogitsError
from bmip.experiments.execute import execute
from bmip.experiments.listener import ProgressListener
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.stored import StoredRows
from bmip.experiments.trial import Trial
from bmip.methods import build_model
from bmip.run_spec import RunSpec
from bmip.training.finite import TrainingError
from bmip.training.run_folder import BusyError

LOCKS = ".locks"
"""The folder of the locks, in the folder of the runs."""

PATIENCE = 10.0
"""Seconds for which one run of another process is waited for, before the next one is looked at."""


class TrialsFailed(ValueError):
    """Some trainings diverged. `rows` has the rows of all other trials, `failures` one text for each failed run."""

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

    A stored row counts if it was made with the same backbone and data. Each run has its folder below `runs`. Where
    another process works at a run, its rows are waited for at the end; if that process dies, the run goes on here.

    Raises:
        ValueError: before any work, for data that cannot be read, and for data or a method that do not fit the
            protocol.
        TrialsFailed: at the end, for trainings that diverged.
    """
    listener, runs = listener or ProgressListener(), Path(runs)
    trials = list(dict.fromkeys(trials))
    check_trials(trials, resources)
    numbers = {trial: number for number, trial in enumerate(trials, 1)}
    work = _Work(numbers, StoredRows(results, resources), runs, resources, listener)
    if done := sum(work.stored.find(trial) is not None for trial in trials):
        listener.remark(f"trials that are done already: {done} of {len(trials)}")
    groups = [list(members) for _, members in groupby(trials, lambda trial: trial.run)]
    left = []
    for group in groups:
        if not work.carry_out(group, patience=0.0):
            left.append(group)
            listener.remark(f"{group[0].described()}: another process works at it; it comes again at the end")
    if left:
        listener.remark(f"waiting for other processes; trials left: {sum(map(len, left))} of {len(trials)}")
    while left:
        left = [group for group in left if not work.carry_out(group, patience=PATIENCE)]
    rows = [work.rows[trial] for trial in trials if trial in work.rows]
    if work.diverged:
        raise TrialsFailed(rows, work.diverged)
    return rows


@dataclass
class _Work:
    """The trials of one call of `run_trials`, their rows so far, and those whose training diverged."""

    numbers: Mapping[Trial, int]
    """Each trial with its number, counted from 1."""

    stored: StoredRows
    runs: Path
    resources: Resources
    listener: ProgressListener
    rows: dict[Trial, Row] = field(default_factory=dict)
    diverged: dict[Trial, Exception] = field(default_factory=dict)

    def carry_out(self, group: Sequence[Trial], patience: float) -> bool:
        """Finds or makes the rows of trials with equal `run`; False where another process works at that run.

        `patience`: the seconds to wait for the other process.
        """
        if all(map(self.stored.find, group)):
            self._finish(group)
            return True
        try:
            with claim(group[0].run, self.runs, patience):
                self.stored.read_again()
                self._finish(group)
        except BusyError:
            return False
        return True

    def _finish(self, group: Sequence[Trial]) -> None:
        known = {trial: self.stored.find(trial) for trial in group}
        copied = {trial: self.stored.of_another_seed(trial) for trial, row in known.items() if row is None}
        missing = [trial for trial, row in copied.items() if row is None]
        made = execute(missing, self.runs, resources=self.resources, listener=self.listener)
        error: Exception | None = None
        for trial in group:
            self.listener.begin(trial, self.numbers[trial], len(self.numbers))
            row = known[trial]
            if row is None:
                try:
                    if error is not None:
                        raise error
                    row = copied[trial] or next(made)
                except (TrainingError, LogitsError) as failure:
                    if error is None:
                        self.diverged[trial] = error = failure
                    self.listener.failed(trial, failure)
                    continue
                except BusyError:
                    raise
                except Exception as failure:
                    self.listener.failed(trial, failure)
                    raise
                self.stored.append(row)
            self.rows[trial] = row
            self.listener.done(row, skipped=known[trial] is not None)


@contextmanager
def claim(run: RunSpec, runs: Path, patience: float) -> Iterator[None]:
    """Keeps other processes with the same folder of runs away from this run.

    The system drops the claim with the process that holds it. Raises BusyError where another process still holds it
    after `patience` seconds.
    """
    folder = runs / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    try:
        claimed = FileLock(folder / f"{run.hash()}.lock").acquire(timeout=patience)
    except Timeout as error:
        raise BusyError(f"another process carries out {run.described()}") from error
    with claimed:
        yield


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
