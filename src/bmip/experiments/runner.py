"""Runs trials: what is stored is kept, what is missing is made by an executor, and the driver alone writes rows.

Several drivers may run the same trials with one file of results and one folder of runs. They share the work: each
leaves out the runs that another one works at, and comes back to them at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bmip.data.dataset import DataError
from bmip.experiments.executors.executor import Executor
from bmip.experiments.executors.in_process import InProcess
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.stored import StoredRows
from bmip.experiments.task import is_free, tasks_of
from bmip.experiments.trial import Trial
from bmip.methods import build_model
from bmip.run_spec import RunSpec
from bmip.system.line_file import check_locks
from bmip.training.progress import Tick

PATIENCE = 10.0
"""Seconds for which one run of another process is waited for, before the next one is looked at."""


class TrialsFailed(ValueError):
    """Some trials have no row. `rows` has the rows of the others, `failures` why, by trial."""

    def __init__(self, rows: Sequence[Row], failures: Mapping[Trial, Failure]) -> None:
        self.rows, self.failures = rows, failures
        super().__init__("; ".join(self.described()))

    def described(self) -> list[str]:
        """One text for each run that failed."""
        found: dict[RunSpec, str] = {}
        for trial, failure in self.failures.items():
            found.setdefault(trial.run, f"{trial.described()} ({_settings(trial)}): {failure.cause}")
        return list(found.values())


def run_trials(
    trials: Iterable[Trial],
    results: Results,
    *,
    runs: Path | str,
    resources: Resources,
    listener: ProgressListener | None = None,
    executor: Executor | None = None,
    minutes: float | None = None,
    lost: Mapping[Trial, Failure] | None = None,
    limit: int | None = None,
) -> list[Row]:
    """The rows of all trials, in their order. Those that are not stored in `results` are made and appended.

    A stored row counts if it was made with the same backbone and data. Each run has its folder below `runs`. Where
    another process works at a run, its rows are waited for at the end; if that process dies, the run goes on here.

    Args:
        executor: makes the missing rows; without one this process does, with `resources`.
        minutes: the longest that one training may take.
        lost: trials that fail, as is known before any work; the others go on.
        limit: at most so many rows are made; the trials behind them are left out.

    Raises:
        ValueError: before any work, for data that cannot be read, and for data or a method that do not fit the
            protocol.
        OSError: before any work, where files cannot be locked.
        TrialsFailed: at the end, if a trial failed.
    """
    trials = list(dict.fromkeys(trials))
    lost = lost or {}
    able = [trial for trial in trials if trial not in lost]
    check_trials(able, resources)
    for folder in (Path(runs), results.path.parent):
        check_locks(folder)
    stored = StoredRows(results, resources)
    if limit is not None:
        absent = [trial for trial in able if stored.find(trial) is None]
        left_out = set(absent[limit:])
        trials, able = ([trial for trial in some if trial not in left_out] for some in (trials, able))
    keeper = _Keeper(results, listener or ProgressListener())
    keeper.plan(len(trials))
    for trial in trials:
        if trial in lost:
            keeper.begin(trial)
            keeper.failed(trial, lost[trial])
        elif (row := stored.find(trial)) is not None:
            keeper.begin(trial)
            keeper.done(row, skipped=True)
    missing = [trial for trial in able if trial not in keeper.rows]
    if keeper.rows:
        keeper.remark(f"trials that are done already: {len(keeper.rows)} of {len(trials)}")
    executor = executor or InProcess(resources, stored)
    left, waits = tasks_of(missing, runs, results, minutes), False
    while left:
        ready = [task for task in left if is_free(task, 0.0)] if waits else left
        if not ready:  # waited for here, since a worker process costs seconds of work
            is_free(left[0], PATIENCE)
            continue
        busy = [replace(task, patience=PATIENCE) for task in executor.run(ready, keeper)]
        left = busy if ready is left else [task for task in left if task not in ready] + busy
        if left and not waits:
            waits, count = True, sum(len(task.trials) for task in left)
            keeper.remark(f"waiting for other processes; trials left: {count} of {len(trials)}")
    rows = [keeper.rows[trial] for trial in trials if trial in keeper.rows]
    if keeper.failures:
        raise TrialsFailed(rows, keeper.failures)
    return rows


@dataclass
class _Keeper(ProgressListener):
    """Writes each row before anybody hears of it, and remembers what became of the trials."""

    results: Results
    listener: ProgressListener
    rows: dict[Trial, Row] = field(default_factory=dict)
    failures: dict[Trial, Failure] = field(default_factory=dict)

    def plan(self, trials: int) -> None:
        self.listener.plan(trials)

    def begin(self, trial: Trial) -> None:
        self.listener.begin(trial)

    def remark(self, text: str) -> None:
        self.listener.remark(text)

    def tick(self, trial: Trial, tick: Tick) -> None:
        self.listener.tick(trial, tick)

    def done(self, row: Row, *, skipped: bool) -> None:
        if row.trial in self.rows:
            return
        if not skipped:
            self.results.append(row)
        self.rows[row.trial] = row
        self.failures.pop(row.trial, None)
        self.listener.done(row, skipped=skipped)

    def failed(self, trial: Trial, failure: Failure) -> None:
        if trial in self.rows:  # made before the worker died
            return
        self.failures[trial] = failure
        self.listener.failed(trial, failure)


def check_trials(trials: Sequence[Trial], resources: Resources) -> None:
    """Raises ValueError before any work: for data that cannot be read, and for what does not fit the protocol."""
    placed = {_evaluated_on(trial): trial for trial in trials}
    bare = {_trained_on(trial) for trial in placed.values() if not len(resources.parts(trial).train.train)}
    kinds = {(_method_as_set(one), one.protocol, bool(one.target), _trained_on(one) in bare): one for one in trials}
    for trial in kinds.values():
        run, parts = trial.run, resources.parts(trial)
        model = build_model(run.method, dict(run.options), resources.clip_for(run), parts.train.classes, seed=0)
        if _trained_on(trial) in bare and model.trainable():
            raise DataError(f"{run.data} has no images to train on, which {run.method_name} needs: leave out either")
        refused = f"{trial.protocol} is not for {run.method_name} as it is set"
        if protocol(trial.protocol).one_rule and model.tells_trained_classes:
            raise ValueError(
                f"{refused}: its read-out counts only among the classes of training, so their logits do not compare "
                "with those of new classes: set trained_classes_only=false"
            )
        for dataset in parts.evaluated.values():
            try:
                model.check_classes(dataset.classes)
            except ValueError as error:
                raise ValueError(f"{refused}: {error}") from error


def _settings(trial: Trial) -> str:
    run = trial.run
    return ", ".join([f"preset {run.preset}", *(f"{name}={value}" for name, value in run.options + run.training)])


def _evaluated_on(trial: Trial) -> tuple:
    """What the evaluated images and classes depend on."""
    drawn = trial.run.data_seed if protocol(trial.protocol).draws else 0
    return trial.protocol, *_trained_on(trial), trial.target, trial.run.base, drawn


def _method_as_set(trial: Trial) -> tuple:
    return trial.run.method, trial.run.options, trial.run.backbone


def _trained_on(trial: Trial) -> tuple:
    return trial.run.data, trial.run.read
