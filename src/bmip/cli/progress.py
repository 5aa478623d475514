"""Progress of trials on stderr: bars on a terminal, a line for each finished trial elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress

from bmip.cli.console import err
from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import TrialsFailed, run_trials
from bmip.experiments.trial import Trial
from bmip.training.progress import Tick, progress_bars


class Bars(ProgressListener):
    """Shows the trials and the training that goes on as two bars."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._all = bars.add_task("trials", total=None, text="")
        self._one = bars.add_task("", total=None, text="", visible=False)
        self._number, self._name, self._ticked = "", "", False
        self._remarks: set[str] = set()

    def begin(self, trial: Trial, number: int, count: int) -> None:
        self._number, self._name, self._ticked = f"[{number}/{count}]", trial.described(), False
        self._bars.update(self._all, total=count)
        self._bars.reset(self._one, description=self._name, total=None, text="", visible=True)

    def remark(self, text: str) -> None:
        if text not in self._remarks:
            self._remarks.add(text)
            self._bars.console.print(text, style="dim", markup=False, soft_wrap=True)

    def tick(self, tick: Tick) -> None:
        if tick.epoch > 1 and not self._ticked:
            self.remark(f"{self._name}: its training was interrupted and goes on at epoch {tick.epoch}")
        self._ticked = True
        tick.show(self._bars, self._one)

    def done(self, row: Row, *, skipped: bool) -> None:
        found = ", ".join(f"{name} {count.percent:.1f}" for name, count in row.counts.items())
        time = "done before" if skipped else f"{row.seconds:.0f} s"
        time += f"; {row.template!r}, best on validation" if row.template else ""
        self._end(row.trial, f"{found} ({time})")

    def failed(self, trial: Trial, error: Exception) -> None:
        self._end(trial, f"failed ({error})")

    def _end(self, trial: Trial, text: str) -> None:
        self._bars.update(self._all, advance=1)
        self._bars.update(self._one, visible=False)
        self._bars.console.print(f"{self._number} {trial.described()}: {text}", markup=False, soft_wrap=True)


@contextmanager
def watching() -> Iterator[ProgressListener]:
    """A listener that shows bars on a terminal, and elsewhere a line for each finished trial."""
    with progress_bars(err(), transient=True) as bars:
        yield Bars(bars)


def carried_out(
    trials: Sequence[Trial], results: Results, *, runs: Path, resources: Resources
) -> tuple[Sequence[Row], list[str]]:
    """The rows of the trials, and one text for each run whose training diverged."""
    with watching() as listener:
        try:
            return run_trials(trials, results, runs=runs, resources=resources, listener=listener), []
        except TrialsFailed as failed:
            return failed.rows, failed.failures
