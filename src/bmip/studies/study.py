"""Carries out a study: chooses the trials that are to be made now, and keeps what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bmip.experiments.executors.executor import Executor
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources, unreadable
from bmip.experiments.results import Results, Row, Work
from bmip.experiments.runner import TrialsFailed, run_trials
from bmip.experiments.task import tasks_of
from bmip.experiments.trial import Trial
from bmip.studies.checks import PlanError
from bmip.studies.expand import Planned
from bmip.studies.folder import Shard, StudyFolder
from bmip.studies.trackers import Tracker
from bmip.system.messages import first_few, first_line
from bmip.training.progress import Tick


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which trials of a plan are made now."""

    only: tuple[str, ...] = ()
    """Trials of which `described` holds each of these."""

    shard: Shard | None = None
    """Those of one shard."""

    retry_failed: bool = False
    """Also those that failed before."""


@dataclass(frozen=True)
class State:
    """How far a study is."""

    planned: tuple[Planned, ...]
    done: frozenset[Trial]
    """Trials with a row."""

    failed: dict[Trial, Failure]
    """Trials without a row that failed."""

    @cached_property
    def labels(self) -> Mapping[Trial, str]:
        """What the plan calls the method of each trial; empty where it says nothing."""
        return {one.trial: one.label for one in self.planned}

    @property
    def missing(self) -> list[Trial]:
        """Trials that were not made yet."""
        return [one.trial for one in self.planned if one.trial not in self.done and one.trial not in self.failed]

    def of(self, trials: Collection[Trial]) -> State:
        """How far these trials are."""
        wanted = frozenset(trials)
        return State(
            tuple(one for one in self.planned if one.trial in wanted),
            self.done & wanted,
            {trial: failure for trial, failure in self.failed.items() if trial in wanted},
        )


def state_of(folder: StudyFolder, planned: Sequence[Planned]) -> State:
    """What is stored of the planned trials, whatever the data and the backbone are now."""
    wanted = {one.trial for one in planned}
    done = frozenset(row.trial for row in folder.stored()) & wanted
    failed = {trial: failure for trial, failure in folder.failures().items() if trial in wanted}
    return State(tuple(planned), done, failed)


def asked_trials(state: State, choice: Choice) -> list[Trial]:
    """The trials of a plan that `only` and `shard` name; a shard may have none.

    Raises PlanError where `only` fits no trial of the plan.
    """
    lines = {one.trial: described(one.trial, one.label) for one in state.planned}
    fit = {trial for trial, line in lines.items() if all(text in line for text in choice.only)}
    if not fit:
        raise PlanError(_nothing_fits(choice.only, list(lines.values()), state.planned))
    trials = [one.trial for one in state.planned]
    if choice.shard is not None:  # whole tasks: what shares a training stays together
        tasks = tasks_of(trials, "", Results(""))
        trials = [trial for task in tasks[choice.shard.number - 1 :: choice.shard.count] for trial in task.trials]
    return [trial for trial in trials if trial in fit]


def chosen_trials(state: State, choice: Choice) -> list[Trial]:
    """The trials that are to be made now, before any limit; those that are done are among them, and cost nothing.

    Raises what `asked_trials` raises.
    """
    trials = asked_trials(state, choice)
    return trials if choice.retry_failed else [trial for trial in trials if trial not in state.failed]


def within_limit(state: State, trials: Sequence[Trial], limit: int | None) -> list[Trial]:
    """The trials without those that are missing beyond the limit, as far as the stored rows tell."""
    allowed = [trial for trial in trials if trial not in state.done][:limit]
    return [trial for trial in trials if trial in state.done or trial in allowed]


def _nothing_fits(only: Sequence[str], lines: Sequence[str], planned: Sequence[Planned]) -> str:
    nowhere = [text for text in only if not any(text in line for line in lines)]
    what = repr(nowhere[0]) if nowhere else f"{' and '.join(map(repr, only))} at once"
    trials = [one.trial for one in planned]
    ways, places, methods = (
        first_few(dict.fromkeys(names))
        for names in (
            (trial.protocol for trial in trials),
            (trial.place for trial in trials),
            (one.label or one.trial.run.method_name for one in planned),
        )
    )
    return (
        f"--only: no trial of the plan has {what} in its line. There are the protocols {ways}, the data sets {places} "
        f"and the methods {methods}; a line is {lines[0]!r}"
    )


def described(trial: Trial, label: str = "") -> str:
    """Protocol, data, method, shots, seeds, and the plan's label of the method as one text."""
    return f"{trial.protocol}: {trial.described(label)}"


def run_study(
    folder: StudyFolder,
    trials: Sequence[Trial],
    *,
    resources: Resources,
    executor: Executor | None = None,
    listener: ProgressListener | None = None,
    shard: Shard | None = None,
    minutes: float | None = None,
    trackers: Sequence[Tracker] = (),
    limit: int | None = None,
) -> list[Row]:
    """Makes the trials that have no row yet, and returns the rows of all. What fails is written down; the rest goes on.

    A trial fails, too, whose data cannot be read. One that has a row keeps it. With a `limit`, at most so many rows are
    made; a row of other images than there are now does not count as one.

    Raises what `run_trials` raises before any work.
    """
    store = folder.results(shard)
    if limit is not None:
        trials = _up_to(trials, limit, folder.stored(), resources)
    keeping = _Keeping(folder, listener or ProgressListener(), shard, trackers)
    lost = unreadable(trials, resources)
    found = _stored_elsewhere(folder, store, [trial for trial in trials if trial not in lost], resources)
    for row in folder.stored():
        if row.trial in lost:
            keeping.remark(f"{lost[row.trial].cause}. The rows that are stored of these data stay as they are")
            found[row.trial] = row
    left = [trial for trial in trials if trial not in found]
    try:
        made = run_trials(
            left,
            store,
            runs=folder.runs,
            resources=resources,
            listener=keeping,
            executor=executor,
            minutes=minutes,
            lost=lost,
            limit=limit,
        )
    except TrialsFailed as failed:
        made = list(failed.rows)
    rows = {**found, **{row.trial: row for row in made}}
    return [rows[trial] for trial in trials if trial in rows]


def _up_to(trials: Sequence[Trial], limit: int, rows: Sequence[Row], resources: Resources) -> list[Trial]:
    """The trials that have a row, and others until so many are missing. Data that are not reached are not looked at."""
    works, done = {row.work for row in rows}, {row.trial for row in rows}
    kept, absent = [], 0
    for trial in trials:
        if trial not in done and absent == limit:
            continue
        kept.append(trial)
        absent += absent < limit and not (trial in done and _is_current(trial, works, resources))
    return kept


def _is_current(trial: Trial, works: Collection[Work], resources: Resources) -> bool:
    """Whether a row is of the images and the backbone that there are now, or these cannot be read."""
    try:
        return (trial, resources.hashes(trial)) in works
    except ValueError:
        return True


def _stored_elsewhere(
    folder: StudyFolder, store: Results, trials: Sequence[Trial], resources: Resources
) -> dict[Trial, Row]:
    """The rows of these trials that the study has in other files than `store`."""
    own = store.by_work() if store.path.exists() else {}
    elsewhere = {row.work: row for row in folder.stored() if row.work not in own}
    if not elsewhere:
        return {}
    works = ((trial, resources.hashes(trial)) for trial in trials)
    return {work[0]: elsewhere[work] for work in works if work in elsewhere}


class _Keeping(ProgressListener):
    """Writes failures down and tells the trackers, and passes all events on."""

    def __init__(
        self, folder: StudyFolder, listener: ProgressListener, shard: Shard | None, trackers: Sequence[Tracker]
    ) -> None:
        self._folder, self._listener, self._shard, self._trackers = folder, listener, shard, trackers
        self._refused: list[Tracker] = []

    def plan(self, trials: int) -> None:
        self._listener.plan(trials)

    def begin(self, trial: Trial) -> None:
        self._listener.begin(trial)

    def remark(self, text: str) -> None:
        self._listener.remark(text)

    def tick(self, trial: Trial, tick: Tick) -> None:
        self._listener.tick(trial, tick)

    def done(self, row: Row, *, skipped: bool) -> None:
        if not skipped:
            for tracker in self._trackers:
                self._track(tracker, row)
        self._listener.done(row, skipped=skipped)

    def _track(self, tracker: Tracker, row: Row) -> None:
        """The row is stored already: a tracker that fails costs no trial, and is named once."""
        try:
            tracker.track(row, self._folder.runs / row.trial.run.folder)
        except Exception as error:
            if tracker not in self._refused:
                self._refused.append(tracker)
                self.remark(
                    f"{type(tracker).__name__} did not take {described(row.trial)} ({type(error).__name__}: "
                    f"{first_line(error)}): the study goes on, and this is not said again"
                )

    def failed(self, trial: Trial, failure: Failure) -> None:
        self._folder.add_failure(trial, failure, self._shard)
        self._listener.failed(trial, failure)
