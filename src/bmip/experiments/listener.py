"""How a run of trials reports its progress."""

from __future__ import annotations

from bmip.experiments.failures import Failure
from bmip.experiments.results import Row
from bmip.experiments.trial import Trial
from bmip.training.progress import Tick


class ProgressListener:
    """Receives progress events; the base class ignores them. Several trials may be under way at once."""

    def plan(self, trials: int) -> None:
        """So many trials will begin."""

    def begin(self, trial: Trial) -> None:
        """A trial begins."""

    def remark(self, text: str) -> None:
        """There is something that a person should know before trusting the result."""

    def tick(self, trial: Trial, tick: Tick) -> None:
        """A training step was made for a trial, and for all others that share its training."""

    def done(self, row: Row, *, skipped: bool) -> None:
        """A trial has its row; `skipped` means that the row was stored before."""

    def failed(self, trial: Trial, failure: Failure) -> None:
        """A trial has no row. The others go on."""
