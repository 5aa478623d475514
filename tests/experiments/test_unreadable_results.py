"""What keeps all trials from being done is no failure of one of them."""

import errno
import json
import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bmip.experiments.executors import pool
from bmip.experiments.executors.executor import Executor
from bmip.experiments.executors.pool import Pool
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import TrialsFailed, run_trials
from bmip.experiments.stored import UnreadableResultsError
from bmip.experiments.trial import Trial
from bmip.system import line_file
from tests.experiments.test_runner import Seen, resources, trials

__all__ = ["resources", "trials"]


class Spoiler(Seen):
    """Adds a row of another version behind the first one, as another machine would."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def done(self, row: Row, *, skipped: bool) -> None:
        super().done(row, skipped=skipped)
        if not skipped:
            line = {**json.loads(self._file.read_text().splitlines()[0]), "format": 99}
            self._file.write_text(self._file.read_text() + json.dumps(line) + "\n")


@pytest.mark.parametrize("executor", [None, Pool(1, devices=["cpu"], threads=1)])
def test_a_row_of_another_version_stops_the_study_and_fails_no_trial(
    executor: Executor | None, trials: list[Trial], resources: Resources, tmp_path: Path
) -> None:
    store = Results(tmp_path / "results.jsonl")
    seen = Spoiler(store.path)
    with pytest.raises(UnreadableResultsError, match=r"results\.jsonl, line 2"):
        run_trials(trials, store, runs=tmp_path, resources=resources, listener=seen, executor=executor)
    assert seen.failures == []
    store.path.write_text("".join(line + "\n" for line in store.path.read_text().splitlines() if "99" not in line[:20]))
    rows = run_trials(trials, store, runs=tmp_path, resources=resources, executor=executor)
    assert [row.trial for row in rows] == trials, "after mending it, the same command goes on"


def _dies_while_it_sends(pipe: Connection, device: str, threads: int) -> None:
    pipe.recv()
    os.write(pipe.fileno(), (1000).to_bytes(4, "big") + b"half")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes cannot be killed so")
def test_a_worker_that_dies_in_the_middle_of_a_message_is_replaced(
    trials: list[Trial], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_serve", _dies_while_it_sends)
    with pytest.raises(TrialsFailed, match=f"its worker process died {pool.TRIES} times"):
        run_trials(
            trials[:1],
            Results(tmp_path / "r"),
            runs=tmp_path,
            resources=resources,
            executor=Pool(1, devices=["cpu"], threads=1),
        )


@pytest.mark.skipif(line_file.fcntl is None, reason="there are no locks on this system")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused_before_any_work(
    code: int, trials: list[Trial], resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: object, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    assert line_file.fcntl is not None
    monkeypatch.setattr(line_file.fcntl, "flock", flock)
    seen = Seen()
    with pytest.raises(OSError, match=r"lies on a file system without locks .*choose a folder elsewhere"):
        run_trials(trials, Results(tmp_path / "r"), runs=tmp_path / "runs", resources=resources, listener=seen)
    assert not seen.skipped and not list((tmp_path / "runs").iterdir())
