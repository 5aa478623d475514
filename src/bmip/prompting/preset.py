"""Presets: named settings of a method, with their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A named set of departures from the defaults of a method's Config and of TrainConfig."""

    source: str
    """Where these settings come from: paper, repository and file, or our own search."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method, by the names of its Config's fields."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Training settings, by the names of TrainConfig's fields."""
