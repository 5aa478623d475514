"""This process does all the work, one task after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.stored import StoredRows
from bmip.experiments.task import Task, carry_out


class InProcess:
    """Carries out tasks with backbones and data sets that are loaded already.

    Args:
        resources: what is loaded.
        stored: the stored rows; a row that another process has written meanwhile is taken from there.
    """

    def __init__(self, resources: Resources, stored: StoredRows) -> None:
        self._resources, self._stored = resources, stored

    def run(self, tasks: Sequence[Task], report: ProgressListener) -> list[Task]:
        """As `Executor.run`."""
        left = []
        for task in tasks:
            if busy := carry_out(task, self._stored, self._resources, report):
                report.remark(f"{busy[0].described()}: another process works at it; it comes again at the end")
                left.append(replace(task, trials=busy))
        return left
