"""What an executor is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from bmip.experiments.listener import ProgressListener
from bmip.experiments.task import Task


@runtime_checkable
class Executor(Protocol):
    """Carries out tasks somewhere."""

    def run(self, tasks: Sequence[Task], report: ProgressListener, /) -> list[Task]:
        """Carries out the tasks; `report` hears of every row, from the calling thread alone.

        Returns what is left because another driver works at it, as tasks.
        """
        ...
