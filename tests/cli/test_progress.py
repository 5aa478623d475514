"""What is shown while trials run: the lines where stderr is no terminal, and the time left where it is one."""

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from bmip.cli.progress import Bars, watching
from bmip.experiments.failures import Failure
from bmip.training.progress import Tick, progress_bars
from tests.experiments.making import a_trial, replaced
from tests.experiments.test_results import ROW


def test_a_training_that_goes_on_says_at_which_epoch(capfd: pytest.CaptureFixture[str]) -> None:
    fresh, interrupted = (a_trial(method="bmip", data=name) for name in ("x", "y"))
    with watching() as listener:
        listener.plan(2)
        for trial, first in ((fresh, 1), (interrupted, 3)):
            listener.begin(trial)
            for epoch in (first, first + 1):
                listener.tick(trial, Tick(epoch, 9, 1, 1, 0.5, None))
    assert capfd.readouterr().err.splitlines() == [
        "y bmip, 16 shots, seeds 1/1: its training was interrupted and goes on at epoch 3"
    ]


def test_a_bar_has_room_in_a_narrow_terminal() -> None:
    console = Console(file=io.StringIO(), width=60, force_terminal=True)
    bars = progress_bars(console)
    task = bars.add_task("training bmip", total=None, text="")
    Tick(52, 60, 1, 10, 0.02, None).show(bars, task)
    console.print(bars.get_renderable())
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())  # type: ignore[attr-defined]
    assert "training bmip" in shown and "epoch 52/60  loss 0.020" in shown and shown.strip().endswith("-:--:--")


@pytest.mark.parametrize("before", [0, 60])
def test_the_time_left_follows_from_the_rows_that_were_made(before: int) -> None:
    """One a minute: long after the half minute that rich looks back. What was done before came in no time."""
    now = 1000.0
    bars = progress_bars(Console(quiet=True, get_time=lambda: now))
    listener = Bars(bars)
    rows = [replace(ROW, trial=replaced(ROW.trial, data_seed=seed)) for seed in range(100)]
    listener.plan(len(rows))
    for row in rows[:before]:
        listener.done(row, skipped=True)
    (trials,) = bars.tasks
    assert trials.time_remaining is None
    for made, row in enumerate(rows[before:-1], 1):
        now += 60
        if made % 5:
            listener.done(row, skipped=False)
        else:
            listener.failed(row.trial, Failure("crash", "it died"))
        assert (trials.completed, trials.total) == (made, 100 - before)
        assert trials.time_remaining == pytest.approx(60 * (100 - before - made), abs=1)
        failed = f", {made // 5} failed" if made >= 5 else ""
        assert trials.fields["text"] == f"{made}/{100 - before}{failed}"
    listener.done(rows[-1], skipped=False)
    assert trials.finished
