"""What runs in a worker process: it carries out tasks and sends what happens to the driver."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch

from bmip.experiments.failures import Failure, failure_of
from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.stored import StoredRows, UnreadableResultsError
from bmip.experiments.task import Task, carry_out
from bmip.experiments.trial import Trial
from bmip.training.progress import Tick

Event = tuple[str, tuple[Any, ...], dict[str, Any]]
"""The name of a method of `ProgressListener`, and its arguments; or UNREADABLE and why."""

UNREADABLE = "unreadable"

Send = Callable[[Event], None]

TICK_SECONDS = 0.2
"""The least time between two ticks that are sent."""


class Worker:
    """Loads a backbone and a data set once, for all the tasks that it is given."""

    def __init__(self, device: str, threads: int | None) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._device = device
        self._stored: dict[str, StoredRows] = {}

    @cached_property
    def _resources(self) -> Resources:
        return Resources(device=self._device)

    def carry_out(self, task: Task, send: Send) -> tuple[Trial, ...]:
        """Carries out a task; returns the trials at whose run another driver works.

        Where a device, a backbone or data cannot be loaded, the trials that have not ended fail for this cause. Where
        the file of rows cannot be read, none fails, and the driver is told. What `send` raises goes through: it fails
        again.
        """
        sender = _Sender(send)
        try:
            if task.results not in self._stored:
                self._stored[task.results] = StoredRows(Results(task.results), self._resources)
            return carry_out(task, self._stored[task.results], self._resources, sender)
        except UnreadableResultsError as error:
            send((UNREADABLE, (str(error),), {}))
            return ()
        except Exception as error:
            for trial in task.trials:
                if trial not in sender.ended:
                    sender.failed(trial, failure_of(error))
            return ()


def pass_on(event: Event, report: ProgressListener) -> None:
    """Calls the listener with an event that a worker has sent. Raises UnreadableResultsError where it tells of that."""
    name, arguments, options = event
    if name == UNREADABLE:
        raise UnreadableResultsError(*arguments)
    getattr(report, name)(*arguments, **options)


class _Sender(ProgressListener):
    """Sends what happens, and knows which trials have ended."""

    def __init__(self, send: Send) -> None:
        self._send, self._ticked = send, 0.0
        self.ended: set[Trial] = set()

    def begin(self, trial: Trial) -> None:
        self._send(("begin", (trial,), {}))

    def remark(self, text: str) -> None:
        self._send(("remark", (text,), {}))

    def tick(self, trial: Trial, tick: Tick) -> None:
        if (now := time.monotonic()) - self._ticked >= TICK_SECONDS:
            self._ticked = now
            self._send(("tick", (trial, tick), {}))

    def done(self, row: Row, *, skipped: bool) -> None:
        self._send(("done", (row,), {"skipped": skipped}))
        self.ended.add(row.trial)

    def failed(self, trial: Trial, failure: Failure) -> None:
        self._send(("failed", (trial, failure), {}))
        self.ended.add(trial)
