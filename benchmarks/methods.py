"""Cells: what a method costs at 100 classes beside the floor, each in a process of its own.

methods/PLACE/float32/100/NAME   a training step of the method, in turn with the floor, and its peak memory; of a head,
                                 which no step trains, the fit to features of 16 images of each class
PLACE is cpu1 (one thread) or cuda.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.class_names import class_names
from benchmarks.contestants import BATCH, floor_step, images_and_labels, random_clip
from benchmarks.machine import forget_peak_memory, peak_memory
from benchmarks.timing import alternate
from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.experiments.parameter_counts import VIT_B_16
from bmip.methods import build_model
from bmip.prompting.head import Head, Support
from bmip.prompting.model import PromptedCLIP

STEPS = ("bmip", "maple", "mmrl", "mmrlpp", "tcp", "mma", "hicropl", "clip_lora", "clip_adapter")
FITS = ("linear_probe", "lp_plus_plus", "tip_adapter")

SHOTS, VALIDATION_SHOTS = 16, 4
"""Images of each class that a head is fitted to, and that it chooses on, as in the few-shot protocol."""


def cells(device: str) -> list[str]:
    place = "cuda" if device == "cuda" else "cpu1"
    return [f"methods/{place}/float32/100/{name}" for name in (*STEPS, *FITS)]


def measure(cell: str, rounds: int) -> dict[str, Any]:
    _, place, _, classes, name = cell.split("/")
    device = "cuda" if place == "cuda" else "cpu"
    if device == "cpu":
        torch.set_num_threads(1)
    else:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    clip, names = random_clip(VIT_B_16, "float32", device), ClassNames(class_names(int(classes)))
    model = build_model(name, {}, clip, names, seed=0)
    trained = sum(tensor.numel() for tensor in model.trainable().values())
    times = _fit(model, model.head, rounds, device) if model.head else _steps(model, clip, names, rounds, device)
    return {"trained": trained, **times}


def _steps(model: PromptedCLIP, clip: CLIP, names: ClassNames, rounds: int, device: str) -> dict[str, Any]:
    """The floor runs after the peak is read, since it may need more than the method."""
    pixels, labels = images_and_labels(clip, len(names), BATCH)
    step = _step(model, pixels, labels)
    forget_peak_memory(device)
    for _ in range(2):  # the first one makes what the teacher knows of the classes, and the optimiser's state
        step()
    peak = peak_memory(device)
    both = {"step": step, "floor": floor_step(clip, names, pixels, labels)}
    times = alternate(both, dict.fromkeys(both, rounds), cold=("step",), device=device)
    return {"peak": peak, **{name: asdict(each) for name, each in times.items()}}


def _step(model: PromptedCLIP, pixels: Tensor, labels: Tensor) -> Callable[[], None]:
    """All losses of the method, its own edit of the gradient, and Adam."""
    optimizer = torch.optim.Adam(model.trainable().values(), lr=0.002, weight_decay=5e-4)
    model.train()
    model.clip.eval()

    def step() -> None:
        optimizer.zero_grad()
        model.backward(model.losses([pixels] * model.views, labels).parts)
        optimizer.step()

    return step


def _fit(model: PromptedCLIP, head: Head, rounds: int, device: str) -> dict[str, Any]:
    classes = model.class_features(model.classes)[0]
    support, validation = (_support(classes, count, model.clip.scale) for count in (SHOTS, VALIDATION_SHOTS))

    def fit() -> None:
        head.fit(support, validation)
        head.choose(validation)

    forget_peak_memory(device)
    times = alternate({"fit": fit}, {"fit": rounds}, cold=("fit",), device=device)
    return {"peak": peak_memory(device), "fit": asdict(times["fit"])}


def _support(classes: Tensor, shots: int, scale: Tensor) -> Support:
    """Features around one centre for each class, with as much spread as there is between the centres."""
    generator = torch.Generator(classes.device).manual_seed(shots)
    labels = torch.arange(len(classes), device=classes.device).repeat(shots)
    noise = torch.randn(len(labels), classes.shape[1], generator=generator, device=classes.device)
    centres = classes - classes.mean(0)
    images = F.normalize(centres[labels] + noise * centres.std(), dim=-1)
    return Support(images, labels, classes, scale)
