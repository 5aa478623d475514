"""What a trial costs beside its own work in each executor: `executors.md`.

python -m benchmarks.executors
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.machine import describe
from bmip.experiments.executors.executor import Executor
from bmip.experiments.executors.pool import Pool
from bmip.experiments.executors.ray_cluster import Needs, Ray
from bmip.experiments.listener import ProgressListener
from bmip.experiments.registry import protocol
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import run_trials
from bmip.run_spec import RunSpec, settings
from bmip.system.threads import threads

TRIALS, ROUNDS = 20, 3
METHOD = RunSpec(
    method="coop", shots=1, backbone="embedded", training=settings(epochs=1, batch=4, lr=0.001, warmup_epochs=0)
)
EXECUTORS: Mapping[str, tuple[Callable[[], Executor | None], int]] = {
    "this process": (lambda: None, 1),
    "pool, 1 worker": (partial(Pool, 1, threads=1), 1),
    "pool, 2 workers": (partial(Pool, 2, threads=1), 2),
    "Ray, 1 core a task": (partial(Ray, "local", Needs(cpus=1.0)), os.cpu_count() or 1),
}
"""Each with the number of trials that it carries out at a time."""


class Clock(ProgressListener):
    """When each row came, in seconds since the start."""

    def __init__(self) -> None:
        self.began, self.rows, self.times = time.perf_counter(), list[Row](), list[float]()

    def done(self, row: Row, *, skipped: bool) -> None:
        assert not skipped
        self.rows.append(row)
        self.times.append(time.perf_counter() - self.began)


@dataclass(frozen=True)
class Cost:
    """Seconds of one run of all trials."""

    first: float
    """Until the first row."""

    further: float
    """For each row after the first."""

    own: float
    """Of a trial's own training and evaluation, as its row says."""


def measure(make: Callable[[], Executor | None], trials: int) -> Cost:
    """One run of so many small trials, each with another seed, in a new folder."""
    asked = list(protocol("base-to-novel").trials(["digits"], [METHOD], range(1, trials + 1)))
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, threads(1):
        clock = Clock()
        store = Results(Path(folder) / "results.jsonl")
        run_trials(asked, store, runs=folder, resources=Resources(device="cpu"), listener=clock, executor=make())
    own = statistics.median(row.training_seconds + row.evaluation_seconds for row in clock.rows)
    return Cost(clock.times[0], (clock.times[-1] - clock.times[0]) / (trials - 1), own)


def report(trials: int = TRIALS, rounds: int = ROUNDS) -> str:
    found: dict[str, list[Cost]] = {name: [] for name in EXECUTORS}
    for _ in range(rounds):
        for name, (make, _) in EXECUTORS.items():
            found[name].append(measure(make, trials))
    machine = describe("cpu")
    lines = [
        "# Executors",
        "",
        f"Made by `python -m benchmarks.executors` on {machine['cores']} cores, {machine['processor']}, "
        f"torch {machine['torch']}: {trials} trials of one short training each (CoOp, one shot, one epoch, `digits`), "
        f"one thread for each. Seconds, median of {rounds} rounds in turn. A trial's own work is training and "
        "evaluation as its row says; the overhead of a trial is what is left of the time for which it had a core: the "
        "run folder, the row and the executor. The first row has in it the loading of CLIP and data; in workers also "
        "the start of processes and the loading of libraries. Ray's cluster is started in the first round alone, so "
        "its start is not in the median.",
        "",
        "| | first row | each further row | own work of a trial | overhead of a trial |",
        "|---|---:|---:|---:|---:|",
        *(
            line(name, *(middle(costs, column) for column in ("first", "further", "own")))
            for name, costs in found.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def line(name: str, first: float, further: float, own: float) -> str:
    """The table's line of an executor. A trial that runs beside another one has the time of two further rows."""
    _, at_once = EXECUTORS[name]
    return f"| {name} | {first:.2f} | {further:.3f} | {own:.3f} | {further * at_once - own:.2f} |"


def middle(costs: list[Cost], name: str) -> float:
    return statistics.median(getattr(cost, name) for cost in costs)


if __name__ == "__main__":
    text = report()
    (Path(__file__).parent / "executors.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
