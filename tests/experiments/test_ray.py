"""Trials on a real Ray cluster of two nodes, of which one is killed in the middle."""

from pathlib import Path

import pytest

from bmip.experiments.executors.ray_cluster import Needs, Ray
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results
from bmip.experiments.runner import run_trials
from bmip.experiments.trial import Trial
from bmip.training.progress import Tick
from tests.experiments.test_executors import judged
from tests.experiments.test_runner import Seen, resources, trials

__all__ = ["resources", "trials"]

ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch):
    """A cluster whose first node, where the driver is, has no cores for tasks."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    found = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "include_dashboard": False, "object_store_memory": 80_000_000},
    )
    yield found
    ray.shutdown()
    found.shutdown()


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
