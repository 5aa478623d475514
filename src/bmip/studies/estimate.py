"""How long a study will take and how much memory it needs: from stored rows if there are any, else from its sizes."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

import torch

from bmip.clip.loading.backbones import EMBEDDED
from bmip.clip.model import CLIPConfig
from bmip.data.batches import steps_in_epoch
from bmip.data.embedded_sets import embedded_sets
from bmip.data.public.registry import PUBLIC
from bmip.experiments.method_facts import method_facts
from bmip.experiments.parameter_counts import VIT_B_16
from bmip.experiments.registry import protocol
from bmip.experiments.results import Row
from bmip.experiments.task import Task
from bmip.experiments.trial import Trial
from bmip.run_spec import RunSpec
from bmip.training.config import in_epochs, train_config

SMALL = CLIPConfig(
    image_size=48, patch=8, image_width=128, image_layers=12, image_heads=2,
    text_width=128, text_layers=12, text_heads=2, context=32, vocabulary=4096, out=128,
)  # fmt: skip
"""The shape of the embedded CLIP, nearly enough for an estimate."""

EFFICIENCY = 0.3
"""The share of the speed of large products that a training reaches, roughly."""

TOKENS = 12
"""Tokens of a class's sentence, roughly; the common beginning is computed once."""

PROCESS = 0.35
"""What the interpreter and the libraries hold, roughly, in 10^9 bytes."""

BACKWARD = 2.0
"""What forward and backward cost together, in forward passes: the frozen weights need no gradient."""

IMAGES = 60
"""Test images of each class, where their number is not known."""


@dataclass(frozen=True)
class Estimate:
    """What one task is expected to take."""

    seconds: float | None
    """None where the number of classes is not known before the data are read."""

    gigabytes: float | None
    """Memory in 10^9 bytes: the highest of such rows, else that of the process, weights, activations and optimiser."""

    measured: bool
    """Whether the seconds come from rows of the same trials with other seeds."""


def estimates(tasks: Sequence[Task], rows: Iterable[Row], rate: float | None = None) -> list[Estimate]:
    """One for each task. `rate`: floating-point operations a second; by default it is measured here."""
    known: dict[Trial, list[Row]] = defaultdict(list)
    trained: set[RunSpec] = set()
    for row in rows:
        if row.seconds:
            known[_seedless(row.trial)].append(row)
        if row.trainable:
            trained.add(row.trial.run)
    rate = rate or measured_rate()
    return [_estimate(task, known, trained, rate) for task in tasks]


def _estimate(task: Task, known: Mapping[Trial, Sequence[Row]], trained: Collection[RunSpec], rate: float) -> Estimate:
    run, classes = task.trials[0].run, classes_of(task.trials[0].run.data)
    kept = run in trained  # under another protocol: the run's folder has it
    evaluated = {_evaluated(trial): _seedless(trial) for trial in task.trials}
    peaks = [row.peak_gpu_memory or row.peak_memory for key in evaluated.values() for row in known.get(key, ())]
    evaluated = {trial: key for trial, key in evaluated.items() if not (_is_copied(trial) and key in known)}
    stored = [known[key] for key in evaluated.values() if key in known]
    if len(stored) == len(evaluated):
        seconds = max((median(row.training_seconds for row in group) for group in stored if not kept), default=0.0)
        seconds += sum(median(row.evaluation_seconds for row in group) for group in stored)
        return Estimate(seconds, max((peak for peak in peaks if peak), default=0) / 1e9 or None, True)
    if classes is None:
        return Estimate(None, None, False)
    work = 0.0 if kept else _training(run, classes)
    if _trains(run):
        work += sum(_image_work(trial) + _class_work(trial) for trial in evaluated)
    else:  # features of the frozen image tower are computed once
        work += sum(_image_work(trial) for trial in {trial.place: trial for trial in evaluated}.values())
        work += sum(_class_work(trial) for trial in evaluated)
    return Estimate(work / rate, PROCESS + _bytes(run, classes) / 1e9, False)


def classes_of(data: str) -> int | None:
    """The number of classes of a data set that has a name; None for your own data."""
    if data in embedded_sets():
        return embedded_sets()[data].classes
    return PUBLIC[data].classes if data in PUBLIC else None


def measured_rate() -> float:
    """Floating-point operations a second that a training reaches here, roughly: measured in a tenth of a second.

    The fastest product counts, and one thread computes it, so that other work on the machine hardly matters: several
    threads wait for the slowest of them, and where the cores are busy that took ninety times as long.
    """
    side, fastest, threads = 256, math.inf, torch.get_num_threads()
    square = torch.ones(side, side)
    torch.set_num_threads(1)
    try:
        end = time.perf_counter() + 0.1
        while fastest == math.inf or time.perf_counter() < end:
            began = time.perf_counter()
            torch.mm(square, square)
            fastest = min(fastest, time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return EFFICIENCY * 2 * side**3 / fastest


def _evaluated(trial: Trial) -> Trial:
    """What is evaluated once: the trial, without seeds and shots where they change nothing."""
    return replace(trial, run=replace(trial.run, data_seed=0, init_seed=0, shots=0)) if _is_copied(trial) else trial


def _seedless(trial: Trial) -> Trial:
    trial = _evaluated(trial)
    return replace(trial, run=replace(trial.run, data_seed=0, init_seed=0))


def _is_copied(trial: Trial) -> bool:
    """Whether its row is a copy where another seed has one (`StoredRows.of_another_seed`)."""
    return not _trains(trial.run) and not protocol(trial.protocol).draws


def _trains(run: RunSpec) -> bool:
    """Whether the method learns anything. Heads do, which have no parameters before they see training images."""
    return run.method != "zero_shot"


def _shape(run: RunSpec) -> CLIPConfig:
    return SMALL if run.backbone == EMBEDDED else VIT_B_16


def _image(shape: CLIPConfig) -> float:
    """Operations of one image's forward pass."""
    return 24.0 * shape.image_width**2 * _depth(shape) * _patches(shape)


def _patches(shape: CLIPConfig) -> int:
    """Tokens of an image."""
    return (shape.image_size // shape.patch) ** 2 + 1


def _depth(shape: CLIPConfig) -> int:
    """Layers of the image tower."""
    return shape.image_layers if isinstance(shape.image_layers, int) else sum(shape.image_layers)


def _text(shape: CLIPConfig) -> float:
    """Operations of one class's forward pass."""
    return 24.0 * shape.text_width**2 * shape.text_layers * TOKENS


def _trained_classes(run: RunSpec, classes: int) -> int:
    if run.classes == "all":
        return classes
    return len(run.base) if isinstance(run.base, tuple) else max(1, round(classes * run.base))


def _training(run: RunSpec, classes: int) -> float:
    if not _trains(run):
        return 0.0
    shape, config, count = _shape(run), train_config(dict(run.training)), _trained_classes(run, classes)
    shots = run.shots or 32
    in_epoch = steps_in_epoch(shots * count, config.batch)
    steps = in_epoch * in_epochs(config, shots=shots, steps=in_epoch).epochs
    return steps * BACKWARD * (config.batch * _image(shape) + count * _text(shape))


def _image_work(trial: Trial) -> float:
    """Operations for the test images."""
    counts = PUBLIC[trial.place].counts if trial.place in PUBLIC else None
    images = counts[2] if counts else IMAGES * (classes_of(trial.place) or 0)
    return images * _image(_shape(trial.run))


def _class_work(trial: Trial) -> float:
    """Operations for the class texts."""
    return (classes_of(trial.place) or 0) * _text(_shape(trial.run))


def _bytes(run: RunSpec, classes: int) -> float:
    """Weights in float32, and what the backward pass keeps of each block: some 16 numbers for each channel."""
    shape, batch = _shape(run), train_config(dict(run.training)).batch
    weights = 12 * (shape.image_width**2 * _depth(shape) + shape.text_width**2 * shape.text_layers)
    weights += shape.vocabulary * shape.text_width
    kept = 16 * batch * _patches(shape) * shape.image_width * _depth(shape)
    kept += 16 * min(_trained_classes(run, classes) * TOKENS, 4096) * shape.text_width * shape.text_layers
    trained = max(method_facts(run.method).trainable.values(), default=0)
    return 4.0 * (weights + kept + 3 * trained)
