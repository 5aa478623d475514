"""From what a user asks of a method to a trial that says it in full."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bmip.experiments.presets import choose_preset, method_id
from bmip.experiments.trial import HALF, Trial, settings
from bmip.methods import method_config
from bmip.training.config import TrainConfig


def method_trial(
    method: str,
    preset: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    shots: int = 16,
    backbone: str = "embedded",
    template: str = "",
    base: float | tuple[str, ...] = HALF,
    made_for: str = "",
) -> Trial:
    """A trial without protocol, data and seeds. `options` and `training` win over those of the preset
    (`bmip.experiments.presets.choose_preset`).

    Raises ValueError for an unknown method, preset or option, with the nearest right name, and for values out of range.
    """
    name, chosen = choose_preset(method, preset, backbone, made_for)
    merged = {**chosen.options, **(options or {})}
    method_config(method, merged)
    trained = {**chosen.training, **(training or {})}
    check_training(trained)
    if shots < 0:
        raise ValueError(f"{shots} shots: give the training images per class, or 0 for all")
    return Trial(
        method=method_id(method),
        preset=name,
        options=settings(merged),
        training=settings(trained),
        shots=shots,
        backbone=backbone,
        template=template,
        base=base,
    )


def check_training(training: Mapping[str, Any]) -> TrainConfig:
    """Raises ValueError for a setting that there is not, or whose value makes no sense."""
    known = [field.name for field in fields(TrainConfig)]
    for name in training:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
            raise ValueError(f"training has no setting {name!r}: {hint}")
    return TrainConfig(**training)
