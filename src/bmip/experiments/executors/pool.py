"""Worker processes of this machine, one for each GPU or for each group of processor cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection

from bmip.experiments.executors.worker import Worker, pass_on
from bmip.experiments.failures import Failure
from bmip.experiments.listener import ProgressListener
from bmip.experiments.task import Task
from bmip.experiments.trial import Trial
from bmip.system.machine import cores

TRIES = 3
"""How often a task is begun whose worker dies, before it counts as failed."""

_DIED = Failure("crash", f"its worker process died {TRIES} times: it was killed, or memory was short")
_SPAWN = get_context("spawn")


class Pool:
    """Carries out tasks in worker processes. A worker that dies is replaced, and its task is begun again.

    Args:
        workers: how many processes.
        devices: where they compute; worker i takes device i, beginning anew after the last one.
        threads: processor threads of each; None divides the cores that this process may use.

    Raises ValueError for no workers.
    """

    def __init__(self, workers: int, *, devices: Sequence[str] = ("auto",), threads: int | None = None) -> None:
        if workers < 1:
            raise ValueError(f"{workers} workers: give 1 or more")
        self._workers, self._devices = workers, devices
        self._threads = threads or max(1, cores() // workers)

    def run(self, tasks: Sequence[Task], report: ProgressListener) -> list[Task]:
        """As `Executor.run`."""
        waiting = deque((task, 1) for task in tasks)
        left: list[Task] = []
        slots = [
            _Slot(self._devices[number % len(self._devices)], self._threads)
            for number in range(min(self._workers, len(waiting)))
        ]
        try:
            while waiting or any(slot.work for slot in slots):
                for slot in slots:
                    if slot.work is None and waiting:
                        slot.begin(*waiting.popleft())
                working = {slot.pipe: slot for slot in slots if slot.work}
                for pipe in connection.wait(list(working)):
                    slot = working[pipe]  # pyright: ignore[reportArgumentType]
                    assert slot.work is not None
                    task, tries = slot.work
                    try:
                        busy = slot.listen(report)
                    except _DiedError:
                        slot.stop()
                        if tries < TRIES:
                            report.remark(f"{task.trials[0].described()}: its worker died; another one goes on with it")
                            waiting.appendleft((task, tries + 1))
                        else:
                            for trial in task.trials:
                                report.failed(trial, _DIED)
                        continue
                    if busy:
                        left.append(replace(task, trials=busy))
        finally:
            for slot in slots:
                slot.stop()
        return left


class _DiedError(Exception):
    pass


class _Slot:
    """A place for one worker process, which is started when there is work."""

    def __init__(self, device: str, threads: int) -> None:
        self.work: tuple[Task, int] | None = None
        """The task that is under way, and how often it was begun."""

        self._settings = device, threads
        self._process, self._pipe = None, None

    @property
    def pipe(self) -> Connection:
        """The driver's end of the pipe."""
        assert self._pipe is not None
        return self._pipe

    def begin(self, task: Task, tries: int) -> None:
        """Hands a task to the worker."""
        if self._process is None:
            self._pipe, theirs = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=_serve, args=(theirs, *self._settings), daemon=True)
            self._process.start()
            theirs.close()  # the pipe then ends when the worker does
        self.work = task, tries
        with suppress(ConnectionError):  # it died while it waited: `listen` meets the end of the pipe
            self.pipe.send(task)

    def listen(self, report: ProgressListener) -> tuple[Trial, ...]:
        """Passes one event on; at the end of a task returns the trials that another driver works at.

        Raises _DiedError where the worker has died, in the middle of an event too.
        """
        try:
            event = self.pipe.recv()
        except (EOFError, OSError) as error:
            raise _DiedError from error
        if event[0] == "end":
            self.work = None
            return event[1]
        pass_on(event, report)
        return ()

    def stop(self) -> None:
        """Ends the worker, in the middle of a task too: its run folder goes on from the last epoch."""
        if self._process is not None and self._pipe is not None:
            self._pipe.close()
            self._process.terminate()
            self._process.join()
        self.work = self._process = self._pipe = None


def _serve(pipe: Connection, device: str, threads: int) -> None:
    """Works until the driver closes the pipe."""
    worker = Worker(device, threads)
    while True:
        try:
            task = pipe.recv()
            busy = worker.carry_out(task, pipe.send)
            pipe.send(("end", busy, {}))
        except (EOFError, ConnectionError, KeyboardInterrupt):  # the driver has gone, or a person stopped it
            return
