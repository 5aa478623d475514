"""Timing of several functions in turn within one process, so that a busy machine disturbs them alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import torch


@dataclass
class Times:
    """Seconds of each call, in the order of the rounds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Of the whole process, summed over its threads; waiting in a barrier counts."""


def alternate(
    contestants: Mapping[str, Callable[[], object]],
    rounds: Mapping[str, int],
    *,
    cold: Collection[str] = (),
    device: str = "cpu",
) -> dict[str, Times]:
    """Call each once per round until each has had its `rounds`; first once without counting, all but the `cold`."""
    times = {name: Times() for name in contestants}
    for turn in range(-1, max(rounds[name] for name in contestants)):
        for name, call in contestants.items():
            if turn >= rounds[name] or (turn < 0 and name in cold):
                continue
            _settle(device)
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            _settle(device)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if turn >= 0:
                times[name].wall.append(wall)
                times[name].cpu.append(cpu)
    return times


def _settle(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def median_ratio(over: list[float], under: list[float]) -> float:
    """Of the rounds both took part in."""
    return statistics.median(a / b for a, b in zip(over, under, strict=False))
