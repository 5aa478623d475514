"""A Ray cluster: each task is a Ray task. (docs.ray.io: ray.remote, ray.wait, ray.util.queue)"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from bmip.experiments.executors.ray_address import check_address
from bmip.experiments.executors.worker import Event, Worker, pass_on
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.task import Task
from bmip.experiments.trial import Trial

LOOK_SECONDS = 0.5
"""How often the driver looks for progress."""

KEPT_AT_ONCE = ("done", "failed")
"""Events that must not be lost: a task brings them along as its result. The others are sent while it runs."""


@dataclass(frozen=True)
class Needs:
    """What one task needs of the machine that it runs on."""

    cpus: float = 1.0
    """Processor cores."""

    threads: int | None = None
    """Processor threads that it computes with; None for as many as it has cores, and at least one."""

    gpus: float = 0.0
    """GPUs, or a part of one that several tasks share."""

    memory_gb: float = 0.0
    """Memory in 10^9 bytes; 0 for no claim."""

    retries: int = 3
    """How often a task is begun again whose worker or machine dies."""


class Ray:
    """Carries out tasks on a Ray cluster. The folder of the runs must be one that all its machines see.

    Args:
        address: of the cluster, such as "head:6379", "ray://head:10001" or "auto"; "local" starts one on this machine.
        needs: what each task needs.

    Raises ImportError, which says what to install, where Ray is missing, and what `check_address` raises.
    """

    def __init__(self, address: str = "local", needs: Needs = Needs()) -> None:
        try:
            import ray
        except ImportError as error:
            raise ImportError("Ray is not installed: pip install 'bmip[ray]'") from error
        check_address(address)
        self._ray, self._address, self._needs = ray, address, needs

    def run(self, tasks: Sequence[Task], report: ProgressListener) -> list[Task]:
        """As `Executor.run`. Raises ConnectionError where Ray does not connect to the cluster."""
        ray, needs = self._ray, self._needs
        if not ray.is_initialized():
            self._connect()
        options: dict[str, Any] = {"num_cpus": needs.cpus, "num_gpus": needs.gpus, "max_retries": needs.retries}
        if needs.memory_gb:
            options["memory"] = int(needs.memory_gb * 1e9)
        remote = ray.remote(**options)(_work)
        events = self._queue()
        threads = needs.threads or max(1, int(needs.cpus))
        here = str(Path.cwd())
        running = {remote.remote(task, here, threads, bool(needs.gpus), events): task for task in tasks}
        left: list[Task] = []
        while running:
            ready, _ = ray.wait(list(running), timeout=LOOK_SECONDS)
            self._look(events, report)
            for one in ready:
                task = running.pop(one)
                try:
                    found, busy = ray.get(one)
                except ray.exceptions.RayError as error:
                    failure = Failure("crash", " ".join(str(error).split())[:500])
                    for trial in task.trials:
                        report.failed(trial, failure)
                    continue
                for event in found:
                    pass_on(event, report)
                if busy:
                    left.append(replace(task, trials=busy))
        return left

    def _connect(self) -> None:
        try:
            self._ray.init(address=self._address, include_dashboard=False, log_to_driver=False, configure_logging=False)
        except (OSError, RuntimeError, ValueError) as error:
            raise ConnectionError(f"no connection to a Ray cluster at {self._address}: {error}") from error

    def _queue(self) -> Any:
        """A queue on this machine: it must not go with a machine that dies."""
        from ray.util.queue import Queue
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(self._ray.get_runtime_context().get_node_id(), soft=False)
        return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})

    def _look(self, events: Any, report: ProgressListener) -> None:
        for event in events.get_nowait_batch(events.qsize()):
            pass_on(event, report)


def _work(task: Task, here: str, threads: int, gpu: bool, events: Any) -> tuple[list[Event], tuple[Trial, ...]]:
    """Carries out a task on a machine of the cluster; returns what must not be lost, and the trials that are busy.

    `here` is the folder at which the driver's relative paths begin. Ray's own is that in which the cluster was started.
    """
    os.chdir(here)
    kept: list[Event] = []

    def send(event: Event) -> None:
        kept.append(event) if event[0] in KEPT_AT_ONCE else events.put(event)

    busy = _worker("cuda" if gpu else "cpu", threads).carry_out(task, send)
    return kept, busy


@cache
def _worker(device: str, threads: int) -> Worker:
    """One for all the tasks of a Ray process."""
    return Worker(device, threads)
