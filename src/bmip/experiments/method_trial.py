"""From what a user asks of a method to a run that is described in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bmip.data.read_config import ReadConfig
from bmip.experiments.method_facts import method_facts
from bmip.experiments.presets import choose_preset
from bmip.run_spec import HALF, RunSpec, default_backbone, settings
from bmip.training.config import over_preset, train_config


def method_trial(
    method: str,
    preset: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    shots: int = 16,
    backbone: str | None = None,
    data: Iterable[str] = (),
    read: ReadConfig = ReadConfig(),
    base: float | tuple[str, ...] = HALF,
    trained_on: str = "",
    made_for: str = "",
) -> RunSpec:
    """The spec of a run without data and seeds. `options` and `training` win over those of the preset
    (`bmip.experiments.presets.choose_preset`). Without a `backbone` it is the one that suits the data sets `data`
    (`default_backbone`). Where the preset has settings of their own for the data set `trained_on`, these are taken.

    Raises ValueError for an unknown method, preset or option, with the nearest right name, and for values out of range.
    """
    backbone = backbone or default_backbone(data)
    name, chosen = choose_preset(method, preset, backbone, made_for)
    chosen = chosen.on(trained_on)
    merged = {**chosen.options, **(options or {})}
    facts = method_facts(method)
    facts.check_options(merged)
    trained = over_preset(chosen.training, training or {})
    train_config(trained)
    return RunSpec(
        method=facts.name,
        preset=name,
        options=settings(merged),
        training=settings(trained),
        shots=shots,
        backbone=backbone,
        read=read,
        base=base,
    )
