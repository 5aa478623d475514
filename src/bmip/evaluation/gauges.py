"""What a prompter's gauges show while a model is evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from bmip.prompting import Gauge
from bmip.prompting.model import PromptedCLIP


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The mean of a gauge's output."""

    quantity: str
    """What the output is, such as "gate weight"."""

    tower: Literal["text", "image"]
    layer: int
    """Counted from 1."""

    mean: float


@contextmanager
def reading(model: PromptedCLIP) -> Iterator[list[Reading]]:
    """The list is filled when the lines within are done: one reading for each gauge of the model that was used.

    The mean is over all values of an output (images, classes, slots) and over all the times that it was computed.
    """
    readings: list[Reading] = []
    seen = [_Mean(gauge) for gauge in model.prompter.gauges()]
    hooks = [one.gauge.module.register_forward_hook(one.add) for one in seen]
    try:
        yield readings
    finally:
        for hook in hooks:
            hook.remove()
    for one in seen:
        if one.count:
            gauge = one.gauge
            readings.append(
                Reading(quantity=gauge.quantity, tower=gauge.tower, layer=gauge.layer, mean=one.sum / one.count)
            )


class _Mean:
    def __init__(self, gauge: Gauge) -> None:
        self.gauge, self.sum, self.count = gauge, 0.0, 0

    def add(self, module: object, given: object, output: Tensor) -> None:
        self.sum += float(output.cpu().double().sum())  # MPS has no float64
        self.count += output.numel()
