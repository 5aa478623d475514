"""Facts about the data sets that come with the package, for which none is drawn or loaded.

The facts lie in embedded_sets.json, which `python -m tools.facts` writes anew from the code; a test compares both.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class EmbeddedSet:
    """A data set that comes with the package."""

    name: str
    classes: int
    """The number of classes."""

    template: str
    """The sentence around a class name."""

    about: str
    """What its images show."""

    like: str | None = None
    """The data set whose classes these are, where this one only shows them in another way."""


@cache
def embedded_sets() -> dict[str, EmbeddedSet]:
    """Every data set that comes with the package, by its name."""
    return {entry["name"]: EmbeddedSet(**entry) for entry in json.loads(FILE.read_text(encoding="utf-8"))}
