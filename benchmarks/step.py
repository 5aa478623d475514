"""Cells: one measurement each, in a process of its own. A cell's name says all that it depends on.

step/PLACE/PRECISION/CLASSES       a training step of each contestant, in turn
evaluate/PLACE/PRECISION           image side and text side of evaluation, each contestant in turn
memory/PLACE/PRECISION/CLASSES/WHO peak memory of one training step, and its time
PLACE is cpu1 or cpu2 (threads) or cuda.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

import torch

from benchmarks.contestants import VIT_B_16, Contestants, random_clip
from benchmarks.machine import forget_peak_memory, free_memory, peak_memory
from benchmarks.timing import alternate

CLASSES = (10, 100, 500)
PLAIN_UP_TO = 100
"""Classes with which the plain step is timed in turn with the others; more are extrapolated, or one step beside."""

EVALUATION_BATCH = 25
PLAIN_NEEDS = {10: 3e9, 50: 5e9, 100: 7e9, 200: 10e9, 500: 21e9}
"""Bytes, generously, in float32 on a CPU."""


class TooLittleMemory(RuntimeError):
    pass


@dataclass(frozen=True)
class Effort:
    """How often things are measured."""

    rounds: int = 5
    plain_rounds: int = 2
    evaluation_rounds: int = 3
    warm_up: int = 1


QUICK = Effort(rounds=2, plain_rounds=1, evaluation_rounds=1)


def cells(device: str, *, quick: bool) -> list[str]:
    places = ["cuda"] if device == "cuda" else [f"cpu{n}" for n in (1, 2) if n <= (os.cpu_count() or 1)]
    precisions = ["float32", "bfloat16"]
    if quick:
        places, precisions = places[:1], precisions[:1]
    found = []
    for place in places:
        for precision in precisions:
            found += [f"step/{place}/{precision}/{n}" for n in CLASSES]
            found.append(f"evaluate/{place}/{precision}")
    plain = (50, 100) if quick else (50, 100, 200, 500)
    found += [f"memory/{places[0]}/float32/{n}/ours" for n in (100, 500)]
    found += [f"memory/{places[0]}/float32/{n}/plain" for n in plain]
    return found


def measure(cell: str, effort: Effort) -> dict[str, Any]:
    """Raises TooLittleMemory where the plain computation would not fit."""
    kind, place, precision, *rest = cell.split("/")
    device = "cuda" if place == "cuda" else "cpu"
    if device == "cpu":
        torch.set_num_threads(int(place.removeprefix("cpu")))
    else:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    clip = random_clip(VIT_B_16, precision, device)  # pyright: ignore[reportArgumentType]
    if kind == "step":
        return _step(clip, int(rest[0]), device, effort)
    if kind == "evaluate":
        return _evaluate(clip, device, effort)
    return _memory(clip, int(rest[0]), rest[1], device)


def _step(clip, classes: int, device: str, effort: Effort) -> dict[str, Any]:
    contestants = Contestants(clip, classes)
    rounds = dict.fromkeys(contestants.steps, effort.rounds) | {"plain": effort.plain_rounds}
    steps = contestants.steps
    if classes > PLAIN_UP_TO and not (device == "cuda" and torch.cuda.mem_get_info()[0] > PLAIN_NEEDS[classes]):
        steps = {name: step for name, step in steps.items() if name != "plain"}
    return {
        name: asdict(times) for name, times in alternate(steps, rounds, warm_up=effort.warm_up, device=device).items()
    }


def _evaluate(clip, device: str, effort: Effort) -> dict[str, Any]:
    """The image side on a batch, in seconds per 100 images; the text side for each number of classes."""
    found = {}
    contestants = Contestants(clip, CLASSES[0], images=EVALUATION_BATCH)
    times = alternate(contestants.images, _rounds(effort), warm_up=effort.warm_up, device=device)
    for name, each in times.items():
        scaled = {kind: [100 / EVALUATION_BATCH * s for s in seconds] for kind, seconds in asdict(each).items()}
        found[f"images {name}"] = scaled
    for classes in CLASSES:
        contestants = Contestants(clip, classes)
        rounds = _rounds(effort) if classes <= PLAIN_UP_TO else _rounds(effort) | {"plain": 1}
        sides = contestants.class_texts
        times = alternate(sides, rounds, warm_up=effort.warm_up if classes <= PLAIN_UP_TO else 0, device=device)
        found |= {f"{classes} classes {name}": asdict(each) for name, each in times.items()}
    return found


def _rounds(effort: Effort) -> dict[str, int]:
    return {"ours": effort.evaluation_rounds, "bare": effort.evaluation_rounds, "plain": effort.plain_rounds}


def _memory(clip, classes: int, who: str, device: str) -> dict[str, Any]:
    free, needed = free_memory(), PLAIN_NEEDS[classes]
    if who == "plain" and device == "cpu" and free < needed:
        raise TooLittleMemory(f"{free / 1e9:.0f} GB are free; {needed / 1e9:.0f} GB are wanted for {classes} classes")
    contestants = Contestants(clip, classes)
    forget_peak_memory(device)
    times = alternate({who: contestants.steps[who]}, 1, warm_up=0, device=device)
    return {"peak": peak_memory(device), **asdict(times[who])}
