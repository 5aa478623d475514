"""Cells: one measurement each, in a process of its own. A cell's name says all that it depends on.

step/PLACE/PRECISION/CLASSES       a training step of each contestant, in turn
evaluate/PLACE/PRECISION           image side and text side of evaluation, each contestant in turn
memory/PLACE/PRECISION/CLASSES/WHO peak memory of one training step, and its time
cocoop/PLACE/float32/CLASSES       a training step of CoCoOp: ours on a batch, plain on one image as released
PLACE is cpu1 or cpu2 (threads) or cuda.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

import torch

from benchmarks.contestants import Contestants, cocoop_steps, random_clip
from benchmarks.machine import forget_peak_memory, free_memory, peak_memory
from benchmarks.timing import alternate
from bmip.clip.model import CLIP
from bmip.experiments.parameter_counts import VIT_B_16

CLASSES = (10, 100, 500)
PLAIN_UP_TO = 100
"""Classes with which the plain step is timed in turn with the others; more are extrapolated, or one step beside."""

LOOK_AT = 100
"""Classes with which the cost of the gate's look is measured."""

COLD = {"cpu": ("plain",), "cuda": ()}
"""What goes without a warm-up: on a CPU one costs half a minute, and the first step is at most some percent slower."""

EVALUATION_BATCH = 25
PLAIN_NEEDS = {10: 3e9, 50: 5e9, 100: 7e9, 200: 10e9, 500: 21e9}
"""Bytes, generously, in float32 on a CPU."""


class TooLittleMemory(RuntimeError):
    pass


@dataclass(frozen=True)
class Effort:
    """How often things are measured."""

    rounds: int = 5
    """Of steps with 100 classes."""
    other_rounds: int = 3
    plain_rounds: int = 2
    evaluation_rounds: int = 2
    method_rounds: int = 2


QUICK = Effort(rounds=2, other_rounds=1, plain_rounds=1, evaluation_rounds=1, method_rounds=1)


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
    found.append(f"cocoop/{places[0]}/float32/{LOOK_AT}")
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
    if kind == "cocoop":
        times = alternate(cocoop_steps(clip, int(rest[0])), {"ours": 3, "plain": 1}, cold=("plain",), device=device)
        return {name: asdict(each) for name, each in times.items()}
    if kind == "evaluate":
        return _evaluate(clip, place, precision, device, effort)
    return _memory(clip, int(rest[0]), rest[1], device)


def _step(clip: CLIP, classes: int, device: str, effort: Effort) -> dict[str, Any]:
    contestants = Contestants(clip, classes)
    rounds = dict.fromkeys(contestants.steps, effort.rounds if classes == LOOK_AT else effort.other_rounds)
    rounds["plain"] = effort.plain_rounds
    steps = dict(contestants.steps)
    if classes > PLAIN_UP_TO and not (device == "cuda" and torch.cuda.mem_get_info()[0] > PLAIN_NEEDS[classes]):
        del steps["plain"]
    if classes != LOOK_AT:
        del steps["constant gate"]
    times = alternate(steps, rounds, cold=COLD[device], device=device)
    return {name: asdict(each) for name, each in times.items()}


def _evaluate(clip: CLIP, place: str, precision: str, device: str, effort: Effort) -> dict[str, Any]:
    """The image side on a batch, in seconds per 100 images; the text side for each number of classes."""
    found = {}
    rounds = {"ours": effort.evaluation_rounds, "bare": effort.evaluation_rounds, "plain": 1}
    contestants = Contestants(clip, CLASSES[0], images=EVALUATION_BATCH)
    times = alternate(contestants.images, rounds, device=device)
    for name, each in times.items():
        scaled = {kind: [100 / EVALUATION_BATCH * s for s in seconds] for kind, seconds in asdict(each).items()}
        found[f"images {name}"] = scaled
    for classes in CLASSES:
        sides = Contestants(clip, classes).class_texts
        if classes > PLAIN_UP_TO and (place, precision) not in (("cpu1", "float32"), ("cuda", precision)):
            del sides["plain"]
        times = alternate(sides, rounds, cold=COLD[device] if classes > PLAIN_UP_TO else (), device=device)
        found |= {f"{classes} classes {name}": asdict(each) for name, each in times.items()}
    return found


def _memory(clip: CLIP, classes: int, who: str, device: str) -> dict[str, Any]:
    free, needed = free_memory(), PLAIN_NEEDS[classes]
    if who == "plain" and device == "cpu" and free < needed:
        raise TooLittleMemory(f"{free / 1e9:.0f} GB are free; {needed / 1e9:.0f} GB are wanted for {classes} classes")
    contestants = Contestants(clip, classes)
    forget_peak_memory(device)
    times = alternate({who: contestants.steps[who]}, {who: 1}, cold=(who,), device=device)
    return {"peak": peak_memory(device), **asdict(times[who])}
