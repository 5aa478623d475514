"""Shares runs between processes: each run is carried out by the process that has claimed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bmip.run_spec import RunSpec
from bmip.training.run_folder import BusyError

LOCKS = ".locks"
"""The folder of the locks, in the folder of the runs."""


@contextmanager
def claim(run: RunSpec, runs: Path, patience: float) -> Iterator[None]:
    """Keeps other processes with the same folder of runs away from this run.

    The system drops the claim with the process that holds it. Raises BusyError where another process still holds it
    after `patience` seconds.
    """
    folder = runs / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{run.hash()}.lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise BusyError(f"another process carries out {run.described()}") from error
    try:
        yield
    finally:
        lock.release()
