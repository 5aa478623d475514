"""What the options of `bmip study` say about where it is computed reaches the executor."""

import pytest

from bmip.cli.executors import Where
from bmip.experiments.executors import ray_cluster

NOTHING = {"devices": None, "threads": None, "ray_cpus": None, "ray_gpus": None, "ray_memory": None}


def test_without_an_option_this_process_computes() -> None:
    assert Where(**NOTHING, workers=1, ray=None).executor() is None


def test_needs_and_threads_reach_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(ray_cluster, "Ray", lambda address, needs: seen.append((address, needs)))
    Where(**NOTHING, workers=1, ray="local").executor()
    Where(workers=1, devices=None, threads=3, ray="head:6379", ray_cpus=2.0, ray_gpus=0.5, ray_memory=4.0).executor()
    assert seen == [
        ("local", ray_cluster.Needs()),
        ("head:6379", ray_cluster.Needs(cpus=2.0, gpus=0.5, memory_gb=4.0, threads=3)),
    ]
