"""What a trial costs beside its own work in each executor: `executors.md`.

python -m benchmarks.executors
"""

from __future__ import annotations

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
EXECUTORS: Mapping[str, Callable[[], Executor | None]] = {
    "this process": lambda: None,
    "pool, 1 worker": partial(Pool, 1, threads=1),
    "pool, 2 workers": partial(Pool, 2, threads=1),
    "Ray, 1 core a task": partial(Ray, "local", Needs(cpus=1)),
}


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
        for name, make in EXECUTORS.items():
            found[name].append(measure(make, trials))
    machine = describe("cpu")
    lines = [
        "# Executors",
        "",
        f"Made by `python -m benchmarks.executors` on {machine['cores']} cores, {machine['processor']}, "
        f"torch {machine['torch']}: {trials} trials of one short training each (CoOp, one shot, one epoch, `digits`), "
        f"one thread for each. Seconds, median of {rounds} rounds in turn. A trial's own work is training and "
        "evaluation as its row says; what is left is the run folder, the row and the executor. The first row has the "
        "start of processes and the loading of libraries, CLIP and data in it, where this process has them loaded. "
        "Ray's cluster is started in the first round alone, so its start is not in the median.",
        "",
        "| | first row | each further row | own work of a trial |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {middle(costs, 'first'):.2f} | {middle(costs, 'further'):.3f} | {middle(costs, 'own'):.3f} |"
            for name, costs in found.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def middle(costs: list[Cost], name: str) -> float:
    return statistics.median(getattr(cost, name) for cost in costs)


if __name__ == "__main__":
    text = report()
    (Path(__file__).parent / "executors.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
