"""Images per second of exported towers beside ours, and what prompts cost in each: `exports.md`.

python -m benchmarks.exports           # ViT-B/16 with random weights
python -m benchmarks.exports --quick   # a tiny CLIP, two rounds; its table is printed and not written
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import torch
from torch import Tensor

from benchmarks.contestants import random_clip
from benchmarks.machine import describe
from benchmarks.timing import alternate
from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.experiments.parameter_counts import VIT_B_16
from bmip.exporting import int8, to_onnx, to_torch
from bmip.exporting.image_side import traced
from bmip.methods import build_model
from bmip.testing import tiny_clip

METHODS: Mapping[str, Mapping[str, Any]] = {"zero_shot": {}, "ivlp": {}, "maple": {}, "bmip": {}}
"""The methods with their options. The first one has no prompts: the others are compared with it."""

QUICK: Mapping[str, Mapping[str, Any]] = {"zero_shot": {}, "bmip": {"depth": 2}}

WAYS = ("ours", "torch", "onnx", "onnx, int8")
BATCH, ROUNDS = 4, 15


def towers(
    clip: CLIP, method: str, options: Mapping[str, Any], pixels: Tensor, folder: Path
) -> dict[str, Callable[[], object]]:
    """The features of one batch, computed in every way."""
    folder.mkdir()
    model = build_model(method, dict(options), clip, ClassNames(("cat", "dog")), seed=0)
    program = traced(model)
    to_torch.write_tower(program, folder / to_torch.TOWER)
    to_onnx.write_tower(program, folder / to_onnx.TOWER)
    int8.quantise(folder / to_onnx.TOWER, folder / int8.TOWER)
    files = zip(
        WAYS[1:],
        (
            to_torch.features_of(folder / to_torch.TOWER),
            to_onnx.features_of(folder / to_onnx.TOWER),
            to_onnx.features_of(folder / int8.TOWER),
        ),
        strict=True,
    )
    given = pixels.numpy()
    return {"ours": lambda: model.image_features(pixels)} | {
        way: (lambda compute=compute: compute(given)) for way, compute in files
    }


def seconds(
    clip: CLIP, methods: Mapping[str, Mapping[str, Any]], batch: int, rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Processor time for a batch in each round, by method and way. The methods take turns within each way.

    So a method and the first one are measured within seconds of each other, and their ratio does not carry how fast the
    machine was at another time.
    """
    size = clip.config.image_size
    pixels = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(1))
    with tempfile.TemporaryDirectory() as name:
        found = {method: towers(clip, method, own, pixels, Path(name) / method) for method, own in methods.items()}
        contestants = {f"{method} {way}": found[method][way] for way in WAYS for method in methods}
        times = alternate(contestants, dict.fromkeys(contestants, rounds))
    return {method: {way: times[f"{method} {way}"].cpu for way in WAYS} for method in methods}


def table(found: Mapping[str, Mapping[str, list[float]]], batch: int) -> list[str]:
    """A line for each method; behind its speed the share of time that it needs beyond the first one."""
    plain = next(iter(found.values()))
    lines = [f"| | {' | '.join(WAYS)} |", f"|---|{'---:|' * len(WAYS)}"]
    for method, own in found.items():
        cost = {way: "" if own is plain else f" ({_cost(own[way], plain[way])})" for way in WAYS}
        cells = [f"{batch / median(own[way]):,.1f}{cost[way]}" for way in WAYS]
        lines.append(f"| {method.replace('_', '-')} | {' | '.join(cells)} |")
    return lines


def _cost(own: list[float], plain: list[float]) -> str:
    low, middle, high = quantiles([a / b - 1 for a, b in zip(own, plain, strict=True)], n=4, method="inclusive")
    return f"{100 * middle:+.1f} %: {100 * low:+.1f} to {100 * high:+.1f}"


def report(clip: CLIP, name: str, methods: Mapping[str, Mapping[str, Any]], batch: int, rounds: int) -> str:
    torch.set_num_threads(1)
    found = seconds(clip, methods, batch, rounds)
    machine = describe("cpu")
    lines = [
        "# Exported towers",
        "",
        f"Made by `python -m benchmarks.exports` on {machine['cores']} cores, {machine['processor']}, "
        f"torch {machine['torch']}.",
        "",
        f"{name}: images per second of processor time with one thread, in batches of {batch}, the median of {rounds} "
        "rounds. Behind it is the time that prompts cost beyond zero-shot CLIP without any: the median of the rounds' "
        "ratios, and the half of the ratios in the middle. The methods take turns within each way, so both numbers of "
        "a ratio are of the same few seconds. At most +5 % is the aim.",
        "",
        *table(found, batch),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--quick" in sys.argv:
        sys.stdout.write(report(tiny_clip(), "A tiny CLIP", QUICK, 2, 2))
    else:
        text = report(random_clip(VIT_B_16, "float32"), "CLIP ViT-B/16 with random weights", METHODS, BATCH, ROUNDS)
        (Path(__file__).parent / "exports.md").write_text(text, encoding="utf-8")
        sys.stdout.write(text)
