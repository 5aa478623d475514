"""How a run of trials reports its progress."""

from __future__ import annotations

from bmip.experiments.results import Row
from bmip.experiments.trial import Trial
from bmip.training.progress import Tick


class ProgressListener:
    """Receives progress events; the base class ignores them."""

    def begin(self, trial: Trial, number: int, count: int) -> None:
        """Trial `number` of `count` begins; numbers are counted from 1."""

    def remark(self, text: str) -> None:
        """There is something that a person should know before trusting the result."""

    def tick(self, tick: Tick) -> None:
        """A training step was made."""

    def done(self, row: Row, *, skipped: bool) -> None:
        """A trial has its row; `skipped` means that the row was stored before."""

    def failed(self, trial: Trial, error: Exception) -> None:
        """A trial has no row. Other trials go on if its training diverged; any other error is raised afterwards."""
