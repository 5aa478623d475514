"""Progress of trials on stderr: bars on a terminal, a line for each finished trial elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.progress import Progress, TaskID

from bmip.cli.console import err
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import TrialsFailed, run_trials
from bmip.experiments.trial import Trial
from bmip.run_spec import RunSpec
from bmip.training.progress import Tick, progress_bars


class Bars(ProgressListener):
    """Shows the trials that are made as one bar, and each training that goes on as another.

    Rows that were stored before are lines, but no part of the first bar: they say nothing about the time left. With
    `protocols` the line of a finished trial begins with its protocol. `labels` are the names that a plan gives to the
    methods of trials.
    """

    def __init__(self, bars: Progress, *, protocols: bool = False, labels: Mapping[Trial, str] | None = None) -> None:
        self._protocols, self._labels = protocols, labels or {}
        self._bars = bars
        self._all = bars.add_task("trials", total=None, text="")
        self._running: dict[RunSpec, TaskID] = {}
        self._numbers: dict[Trial, int] = {}
        self._count, self._before, self._made, self._failed = 0, 0, 0, 0
        self._remarks: set[str] = set()

    def plan(self, trials: int) -> None:
        self._count = trials
        self._measure()

    def begin(self, trial: Trial) -> None:
        self._numbers.setdefault(trial, len(self._numbers) + 1)

    def remark(self, text: str) -> None:
        if text not in self._remarks:
            self._remarks.add(text)
            self._bars.console.print(text, style="dim", markup=False, soft_wrap=True)

    def tick(self, trial: Trial, tick: Tick) -> None:
        if trial.run not in self._running:
            self._running[trial.run] = self._bars.add_task(self._name(trial), total=None, text="")
            if tick.epoch > 1:
                self.remark(f"{self._name(trial)}: its training was interrupted and goes on at epoch {tick.epoch}")
        tick.show(self._bars, self._running[trial.run])

    def done(self, row: Row, *, skipped: bool) -> None:
        found = ", ".join(f"{name} {count.percent:.1f}" for name, count in row.counts.items())
        time = "done before" if skipped else f"{row.seconds:.0f} s"
        time += f"; {row.template!r}, best on validation" if row.template else ""
        self._tell(row.trial, f"{found} ({time})")
        if skipped:
            self._before += 1
            self._measure()
        else:
            self._advance()

    def failed(self, trial: Trial, failure: Failure) -> None:
        self._failed += 1
        self._advance()
        self._tell(trial, f"failed ({failure.cause})")
        if failure.details:
            self._bars.console.print(failure.details, style="dim", markup=False, soft_wrap=True)

    def _advance(self) -> None:
        self._made += 1
        self._bars.update(self._all, advance=1, text=self._counted())

    def _counted(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{self._made}/{self._count - self._before}{failed}"

    def _measure(self) -> None:
        """Sets how many trials are to be made. Another number makes rich forget the speed: it counts from now on."""
        self._bars.update(self._all, total=self._count - self._before, text=self._counted())
        self._bars.advance(self._all, 0)

    def _tell(self, trial: Trial, text: str) -> None:
        if (bar := self._running.pop(trial.run, None)) is not None:
            self._bars.remove_task(bar)
        number = f"[{self._numbers.get(trial, 0)}/{self._count}]"
        way = f"{trial.protocol}, " if self._protocols else ""
        self._bars.console.print(f"{number} {way}{self._name(trial)}: {text}", markup=False, soft_wrap=True)

    def _name(self, trial: Trial) -> str:
        return trial.described(self._labels.get(trial, ""))


@contextmanager
def watching(*, protocols: bool = False, labels: Mapping[Trial, str] | None = None) -> Iterator[ProgressListener]:
    """A listener that shows bars on a terminal, and elsewhere a line for each finished trial (see `Bars`)."""
    with progress_bars(err(), transient=True) as bars:
        yield Bars(bars, protocols=protocols, labels=labels)


def carried_out(
    trials: Sequence[Trial], results: Results, *, runs: Path, resources: Resources
) -> tuple[Sequence[Row], list[str]]:
    """The rows of the trials, and one text for each run that failed."""
    with watching() as listener:
        try:
            return run_trials(trials, results, runs=runs, resources=resources, listener=listener), []
        except TrialsFailed as failed:
            return failed.rows, failed.described()
