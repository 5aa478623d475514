"""Trials on a real Ray cluster of two nodes: one node is killed in the middle, and so is a driver."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bmip.cli import main
from bmip.experiments.executors.ray_cluster import Needs, Ray
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results
from bmip.experiments.runner import run_trials
from bmip.experiments.trial import Trial
from bmip.training.progress import Tick
from tests.experiments.test_executors import judged
from tests.experiments.test_runner import Seen, resources, trials
from tests.studies.test_study import PLAN, TRIALS
from tests.studies.test_study import judged as stored

__all__ = ["resources", "trials"]

ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="module")
def head() -> Iterator[Any]:
    """A cluster of one node, where the driver is, without cores for tasks."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        environment.setenv("PYTHONPATH", str(Path(__file__).parents[2]), prepend=os.pathsep)
        found = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 80_000_000},
        )
        yield found
        found.shutdown()


@pytest.fixture
def cluster(head: Any) -> Iterator[Any]:
    """The cluster, to which a test adds the nodes that it needs."""
    yield head
    ray.shutdown()
    for node in [*head.worker_nodes]:
        head.remove_node(node, allow_graceful=False)


class NodeKiller(Seen):
    """Kills a node when the first training is under way there, and starts another one."""

    def __init__(self, cluster, node) -> None:
        super().__init__()
        self.cluster, self.node = cluster, node

    def tick(self, trial: Trial, tick: Tick) -> None:
        super().tick(trial, tick)
        if self.node is not None:
            node, self.node = self.node, None
            self.cluster.add_node(num_cpus=2, object_store_memory=80_000_000)
            self.cluster.remove_node(node, allow_graceful=False)


def test_a_node_that_is_killed_costs_no_row(trials: list[Trial], resources: Resources, tmp_path: Path, cluster) -> None:
    alone = run_trials(trials, Results(tmp_path / "alone"), runs=tmp_path / "alone-runs", resources=resources)
    node = cluster.add_node(num_cpus=2, object_store_memory=80_000_000)
    store, seen = Results(tmp_path / "results.jsonl"), NodeKiller(cluster, node)
    executor = Ray(cluster.address, Needs(cpus=2.0, threads=1))
    rows = run_trials(trials, store, runs=tmp_path / "runs", resources=resources, listener=seen, executor=executor)
    assert seen.node is None, "a node was killed"
    assert [row.trial for row in rows] == trials
    assert judged(rows) == judged(alone)
    assert {row.environment["threads"] for row in rows} == {1}
    assert len(store.path.read_text().splitlines()) == len(trials), "each trial has one row"


def runs_in(study: Path) -> set[str]:
    return {str(file.relative_to(study)) for file in study.glob("runs/*/*/prompts.json")}


def test_a_driver_that_is_killed_loses_nothing(
    photos: Path, backbone: Path, tmp_path: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMIP_CACHE", str(tmp_path / "cache"))
    cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
    monkeypatch.chdir(tmp_path)  # relative paths begin here, and not where the cluster was started
    plan, whole, cut = (Path(name) for name in ("plan.toml", "whole", "cut"))
    plan.write_text(PLAN.format(photos=photos, backbone=backbone))
    assert main(["study", str(plan), "--out", str(whole), "--threads", "1"]) == 0
    command = [sys.executable, "-m", "bmip", "study", str(plan), "--out", str(cut), "--ray", cluster.address]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as driver:
        assert driver.stderr is not None
        assert any(line.startswith("[1/") for line in driver.stderr), "a task has ended"
        os.kill(driver.pid, signal.SIGKILL)
    kept = len((cut / "results.jsonl").read_text().splitlines())
    assert 0 < kept < TRIALS
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert stored(cut / "results.jsonl") == stored(whole / "results.jsonl")
    assert runs_in(cut) == runs_in(whole) and runs_in(cut)
