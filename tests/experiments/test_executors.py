"""Trials in worker processes give the rows of one process, whoever is killed on the way."""

import os
import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bmip.clip.loading.load import load_clip
from bmip.experiments.executors.pool import TRIES, Pool
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import TrialsFailed, run_trials
from bmip.experiments.stored import StoredRows
from bmip.experiments.task import SMALLER, carry_out, tasks_of
from bmip.experiments.trial import Trial
from bmip.prompting.model import PromptedCLIP
from bmip.run_spec import settings
from bmip.training.progress import Tick
from tests.experiments.making import replaced
from tests.experiments.test_runner import Seen, resources, trials

__all__ = ["resources", "trials"]


def judged(rows: list[Row]) -> dict[Trial, tuple]:
    """What must be the same wherever a row was made."""
    return {row.trial: (row.counts, row.scores, row.trainable, row.backbone, row.split) for row in rows}


class Killer(Seen):
    """Kills the workers when the first training is under way."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times, self.remarks = times, []

    def remark(self, text: str) -> None:
        self.remarks.append(text)

    def tick(self, trial: Trial, tick: Tick) -> None:
        super().tick(trial, tick)
        if self.times and (living := workers()):
            self.times -= 1
            for worker in living:
                os.kill(worker, signal.SIGKILL)


def workers() -> list[int]:
    """The processes that this one spawned."""
    found = []
    for children in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for process in children.read_text().split():
            with suppress(OSError):  # it has just ended
                if b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes():
                    found.append(int(process))
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are found through /proc")
def test_two_workers_make_the_rows_of_one_process_though_they_are_killed(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    alone = run_trials(trials, Results(tmp_path / "alone"), runs=tmp_path / "alone-runs", resources=resources)
    store, seen = Results(tmp_path / "results.jsonl"), Killer(times=1)
    pool = Pool(2, devices=["cpu"], threads=1)
    rows = run_trials(trials, store, runs=tmp_path / "runs", resources=resources, listener=seen, executor=pool)
    assert any("its worker died" in text for text in seen.remarks)
    assert [row.trial for row in rows] == trials
    assert judged(rows) == judged(alone)
    assert len(store.path.read_text().splitlines()) == len(trials), "each trial has one row"
    again = Seen()
    run_trials(trials, store, runs=tmp_path / "runs", resources=resources, listener=again, executor=pool)
    assert again.skipped == [True] * len(trials)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are found through /proc")
def test_a_task_whose_worker_always_dies_fails_and_the_others_go_on(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    seen = Killer(times=TRIES)
    with pytest.raises(TrialsFailed) as caught:
        run_trials(
            trials, Results(tmp_path / "r"), runs=tmp_path, resources=resources, listener=seen,
            executor=Pool(1, devices=["cpu"], threads=1),
        )  # fmt: skip
    assert {failure.kind for failure in caught.value.failures.values()} == {"crash"}
    assert len(caught.value.rows) == len(trials) - 1


def test_what_a_worker_cannot_load_is_the_cause_and_its_other_tasks_go_on(
    trials: list[Trial], tmp_path: Path, backbone: Path
) -> None:
    """The driver has the backbone: what the worker lacks shows there alone, and the worker does not die of it."""
    lost, seen = str(tmp_path / "lost"), Killer(times=0)
    resources = Resources(device="cpu", backbone=lambda name: load_clip(str(backbone) if name == lost else name))
    asked = [*(replaced(trial, backbone=lost) for trial in trials[:2]), trials[1]]
    with pytest.raises(TrialsFailed) as caught:
        run_trials(
            asked, Results(tmp_path / "r"), runs=tmp_path, resources=resources, listener=seen,
            executor=Pool(1, devices=["cpu"], threads=1),
        )  # fmt: skip
    assert [row.trial for row in caught.value.rows] == [trials[1]]
    for trial in asked[:2]:
        assert caught.value.failures[trial].kind == "data"
        assert lost in caught.value.failures[trial].cause
    assert [trial for trial, _ in seen.failures] == asked[:2]
    assert not any("died" in text for text in seen.remarks)


def test_a_device_that_a_worker_does_not_have_is_the_cause(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    with pytest.raises(TrialsFailed, match="this machine has no device 'abacus': it has ") as caught:
        run_trials(
            trials[:1],
            Results(tmp_path / "r"),
            runs=tmp_path,
            resources=resources,
            executor=Pool(1, devices=["abacus"]),
        )
    assert caught.value.rows == []


def test_no_workers_are_refused() -> None:
    with pytest.raises(ValueError, match="0 workers: give 1 or more"):
        Pool(0)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not say which cores are allowed")
def test_workers_divide_the_cores_that_the_process_may_use(
    trials: list[Trial], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 4, 7, 8, 9, 12})
    (row,) = run_trials(
        trials[:1], Results(tmp_path / "r"), runs=tmp_path, resources=resources, executor=Pool(2, devices=["cpu"])
    )
    assert row.environment["threads"] == 3


def test_untrained_methods_are_one_task_and_a_training_with_all_its_protocols_too(trials: list[Trial]) -> None:
    joint = [replace(trial, protocol="open-world") for trial in trials]
    tasks = tasks_of([*trials, *joint], "runs", Results("r"))
    assert [{trial.run.method for trial in task.trials} for task in tasks] == [{"zero_shot"}, {"maple"}, {"maple"}]
    assert sorted(len(task.trials) for task in tasks) == [2, 2, 4]
    assert all(len({trial.run.data_seed for trial in task.trials}) == 1 for task in tasks[1:])


class Told(ProgressListener):
    """What one task reports."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failures: dict[Trial, Failure] = {}

    def done(self, row: Row, *, skipped: bool) -> None:
        self.rows.append(row)

    def failed(self, trial: Trial, failure: Failure) -> None:
        self.failures[trial] = failure


def told(trial: Trial, resources: Resources, folder: Path, minutes: float | None = None) -> Told:
    (task,) = tasks_of([trial], folder, Results(folder / "rows"), minutes)
    found = Told()
    assert carry_out(task, StoredRows(Results(folder / "rows"), resources), resources, found) == ()
    return found


def short_of_memory(monkeypatch: pytest.MonkeyPatch, needed: int) -> None:
    """Makes training run out of memory wherever more than so many tokens of class texts run at once."""
    losses = PromptedCLIP.losses

    def limited(self: PromptedCLIP, *given):
        if self.clip.text.chunk_tokens > needed:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return losses(self, *given)

    monkeypatch.setattr(PromptedCLIP, "losses", limited)


def test_short_memory_is_tried_once_more_in_smaller_chunks_and_the_row_says_so(
    trials: list[Trial], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = told(trials[1], resources, tmp_path / "whole").rows[0]
    usual = resources.clip_for(trials[1].run).text.chunk_tokens
    short_of_memory(monkeypatch, needed=usual - 1)
    (row,) = told(trials[1], resources, tmp_path / "short").rows
    assert row.environment["chunk_tokens"] == usual // SMALLER
    assert "chunk_tokens" not in whole.environment
    assert row.counts == whole.counts
    assert resources.clip_for(trials[1].run).text.chunk_tokens == usual


def test_memory_that_stays_short_is_a_failure(
    trials: list[Trial], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(monkeypatch, needed=0)
    found = told(trials[1], resources, tmp_path)
    assert found.rows == []
    assert found.failures[trials[1]].kind == "memory"
    assert "CUDA out of memory" in found.failures[trials[1]].cause


def test_a_training_that_takes_too_long_is_stopped_and_goes_on_with_more_time(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    found = told(trials[1], resources, tmp_path, minutes=0.0)
    assert found.failures[trials[1]] == Failure(
        "time", "epoch 1: the limit of 0 minutes is over; what was trained is kept"
    )
    assert told(trials[1], resources, tmp_path).rows[0].trial == trials[1]


def test_what_nobody_expected_comes_with_its_traceback(
    trials: list[Trial], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PromptedCLIP, "losses", lambda self, *given: {}["gone"])
    failure = told(trials[1], resources, tmp_path).failures[trials[1]]
    assert (failure.kind, failure.cause) == ("crash", "KeyError: 'gone'")
    assert "Traceback" in failure.details


def test_settings_that_do_not_fit_are_a_failure_of_their_trial(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    odd = replaced(trials[1], options=settings({"depth": 99}))
    assert told(odd, resources, tmp_path).failures[odd].kind == "data"


def test_rows_that_came_before_a_worker_died_for_good_are_no_failures(
    trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    (row,) = run_trials(trials[:1], Results(tmp_path / "alone"), runs=tmp_path, resources=resources)

    class Dies:
        def run(self, tasks, report):
            report.done(row, skipped=False)
            for task in tasks:
                for trial in task.trials:
                    report.failed(trial, Failure("crash", "it died"))
            return []

    store = Results(tmp_path / "results.jsonl")
    with pytest.raises(TrialsFailed) as caught:
        run_trials(trials, store, runs=tmp_path, resources=resources, executor=Dies())
    assert set(caught.value.failures) == set(trials[1:])
    assert store.rows() == [row]
