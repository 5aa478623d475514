"""A task: trials that are done together, by one process, on this machine or on another one.

What goes in are plain values. What comes out are calls of a `ProgressListener`, with plain values too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from filelock import FileLock, Timeout

from bmip.experiments.execute import execute
from bmip.experiments.failures import Failure, TooLong, failure_of
from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.stored import StoredRows
from bmip.experiments.trial import Trial
from bmip.run_spec import RunSpec
from bmip.training.progress import Tick
from bmip.training.run_folder import BusyError

LOCKS = ".locks"
"""The folder of the locks, in the folder of the runs."""

SMALLER = 8
"""The factor by which the chunks of classes shrink where memory was short."""


@dataclass(frozen=True)
class Task:
    """Trials that one process carries out one after the other. Those with equal `run` share one training."""

    trials: tuple[Trial, ...]
    runs: str
    """The folder of the runs."""

    results: str
    """The file of rows. A task reads it, for rows that other processes have written; it never writes there."""

    minutes: float | None = None
    """The longest that one training may take; None for as long as it needs."""

    patience: float = 0.0
    """Seconds to wait for another process that works at one of the runs."""


def tasks_of(trials: Sequence[Trial], runs: Path | str, results: Results, minutes: float | None = None) -> list[Task]:
    """The tasks for these trials, in the order of the first trial of each.

    Trials that share a training are one task. So are those of one method without trainable parameters on one data set,
    whatever their seeds, protocols and classes.
    """
    groups: dict[object, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(_together(trial), []).append(trial)
    ordered = (sorted(group, key=lambda trial: group.index(_first_of_run(group, trial))) for group in groups.values())
    return [Task(tuple(group), str(runs), str(results.path), minutes) for group in ordered]


def _together(trial: Trial) -> object:
    run = trial.run
    if run.method != "zero_shot":
        return run
    return replace(run, data_seed=0, init_seed=0, shots=0, classes="all", split="test")


def _first_of_run(group: Sequence[Trial], trial: Trial) -> Trial:
    return next(one for one in group if one.run == trial.run)


def carry_out(task: Task, stored: StoredRows, resources: Resources, report: ProgressListener) -> tuple[Trial, ...]:
    """Finds or makes the rows of a task's trials. Returns the trials at whose run another process works.

    A trial that fails is reported with its cause. What diverges, is too slow or runs out of memory fails for all trials
    of the same run; memory that is short is tried once more with smaller chunks of classes.
    """
    busy: list[Trial] = []
    for run, members in groupby(task.trials, lambda trial: trial.run):
        group = list(members)
        try:
            with claim(run, Path(task.runs), task.patience):
                stored.read_again()
                _finish(group, task, stored, resources, report)
        except BusyError:
            busy += group
    return tuple(busy)


def _finish(
    group: Sequence[Trial], task: Task, stored: StoredRows, resources: Resources, report: ProgressListener
) -> None:
    missing: list[Trial] = []
    for trial in group:
        if (row := stored.find(trial)) is not None:
            report.begin(trial)
            report.done(row, skipped=True)
        elif (row := stored.of_another_seed(trial)) is not None:
            report.begin(trial)
            stored.add(row)
            report.done(row, skipped=False)
        else:
            missing.append(trial)
    failure = _make(missing, task, stored, resources, report)
    if failure is not None and failure.kind == "memory":
        report.remark(f"{group[0].described()}: out of memory; once more with smaller chunks of classes")
        left = [trial for trial in missing if stored.find(trial) is None]
        with resources.smaller_chunks(SMALLER):
            again = _make(left, task, stored, resources, report)
        if again is None or again.kind == "memory":
            failure = again
        else:
            failure = replace(failure, cause=f"{failure.cause}; in smaller chunks of classes: {again.cause}")
    if failure is not None:
        for trial in missing:
            if stored.find(trial) is None:
                report.failed(trial, failure)


def _make(
    trials: Sequence[Trial], task: Task, stored: StoredRows, resources: Resources, report: ProgressListener
) -> Failure | None:
    """Makes the rows of trials with equal `run`; returns why the rest of them has none."""
    made = execute(trials, task.runs, resources=resources, listener=_Limited(report, task.minutes))
    for trial in trials:
        report.begin(trial)
        try:
            row: Row = next(made)
        except BusyError:
            raise
        except Exception as error:
            return failure_of(error)
        stored.add(row)
        report.done(row, skipped=False)
    return None


class _Limited(ProgressListener):
    """Passes events on, and stops a training that takes too long."""

    def __init__(self, report: ProgressListener, minutes: float | None) -> None:
        self._report, self._minutes, self._began = report, minutes, time.monotonic()

    def remark(self, text: str) -> None:
        self._report.remark(text)

    def tick(self, trial: Trial, tick: Tick) -> None:
        self._report.tick(trial, tick)
        if self._minutes is not None and time.monotonic() - self._began > 60 * self._minutes:
            raise TooLong(
                f"epoch {tick.epoch}: the limit of {self._minutes:g} minutes is over; what was trained is kept"
            )


def is_free(task: Task, patience: float) -> bool:
    """Whether no other process works at the task's first run, or none any more after `patience` seconds."""
    try:
        with claim(task.trials[0].run, Path(task.runs), patience):
            return True
    except BusyError:
        return False


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
