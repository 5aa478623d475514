"""What `bmip study PLAN --dry-run` prints: the tasks, what they take, and how much of each is done."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice, zip_longest

from bmip.cli.console import add, out, table
from bmip.experiments.task import Task, tasks_of
from bmip.experiments.trial import Trial
from bmip.run_spec import shots_text
from bmip.studies.estimate import Estimate, estimates
from bmip.studies.folder import StudyFolder
from bmip.studies.study import State
from bmip.system.messages import FEW, counted

SHOWN = 40  # tasks that a terminal gets


def tell_plan(name: str, folder: StudyFolder, state: State, trials: Sequence[Trial], workers: int) -> None:
    """Prints the tasks of these trials, first those with something left, and what they take together.

    A terminal gets the first of them, a file or a pipe all.
    """
    tasks = tasks_of(trials, folder.runs, folder.results())
    both = sorted(((task, _left(task, state)) for task in tasks), key=lambda pair: not pair[1].trials)
    left = [rest for _, rest in both if rest.trials]
    found = estimates(left, folder.stored())
    shown = table("task", "done", "time left", "memory", title=name)
    for (task, rest), guess in islice(zip_longest(both, found), SHOWN if sys.stdout.isatty() else None):
        done = f"{len(task.trials) - len(rest.trials)} of {len(task.trials)}"
        add(shown, _described(task, state.labels), done, *(("", "") if guess is None else _needs(guess)))
    if shown.row_count < len(tasks):
        shown.caption = f"the first {SHOWN} of {len(tasks)} tasks; a file or a pipe gets all"
    out().print(shown)
    _tell_sum(len(trials), left, found, workers)


def _tell_sum(trials: int, left: Sequence[Task], found: Sequence[Estimate], workers: int) -> None:
    missing = sum(len(task.trials) for task in left)
    known = [guess.seconds for guess in found if guess.seconds is not None]
    unknown = f", and {len(found) - len(known)} of unknown length" if len(known) < len(found) else ""
    done = f"{counted(trials, 'trial')}: {trials - missing} done, {missing} missing in {counted(len(left), 'task')}"
    span = f"about {_span(sum(known) / workers)} with {counted(workers, 'worker')}{unknown}"
    told = (
        f"{done}; {span}. Times with ? follow from sizes, on one thread of this processor; others from stored rows. "
        "What is stored counts as done, whatever the images are now."
    )
    out().print(told, soft_wrap=True, markup=False)


def _left(task: Task, state: State) -> Task:
    """The task without what is done."""
    return replace(task, trials=tuple(trial for trial in task.trials if trial not in state.done))


def _described(task: Task, labels: Mapping[Trial, str]) -> str:
    """Data, method, shots, seeds, label and protocols; and the hash of the run where the task has only one."""
    runs = list(dict.fromkeys(trial.run for trial in task.trials))
    shots = ", ".join(dict.fromkeys(shots_text(run.shots) for run in runs))
    seeds = ", ".join(dict.fromkeys(f"{run.data_seed}/{run.init_seed}" for run in runs))
    called = ", ".join(dict.fromkeys(labels[trial] for trial in task.trials if labels[trial]))
    ways: dict[str, list[str]] = {}
    for trial in task.trials:
        ways.setdefault(trial.protocol, []).append(trial.target)
    protocols = "; ".join(way + _targets(dict.fromkeys(filter(None, targets))) for way, targets in ways.items())
    what = f"{runs[0].data} {runs[0].method_name}, {shots}, seeds {seeds}"
    label, hash_ = f" [{called}]" if called else "", "" if len(runs) > 1 else f" {runs[0].hash()}"
    return f"{what}{label} ({protocols}){hash_}"


def _targets(names: Mapping[str, None]) -> str:
    if not names:
        return ""
    return f" -> {', '.join(names) if len(names) <= FEW else counted(len(names), 'data set')}"


def _needs(guess: Estimate) -> tuple[str, str]:
    time = _span(guess.seconds) + ("" if guess.measured or guess.seconds is None else " ?")
    return time, "unknown" if guess.gigabytes is None else f"{guess.gigabytes:.1f} GB"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
