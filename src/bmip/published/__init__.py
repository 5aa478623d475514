"""Numbers of papers and repositories, as data with their sources. They are never among rows of results."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bmip.protocols.roles import SHIFTS, TARGETS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

AVERAGE = "average"
"""In place of a data set: over all of the benchmark's, without the source of a transfer."""

BENCHMARK = ("imagenet", *TARGETS["imagenet"])
"""The eleven data sets that base-to-novel, few-shot and open-world are averaged over."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """A method's numbers from one place."""

    method: str
    """As results call it; of methods that are not in this package, their own name."""

    name: str
    """As the paper calls it."""

    protocol: str
    measures: tuple[str, ...]
    numbers: Mapping[str, tuple[float, ...]]
    """For each data set, or `average`, one number in percent for each measure."""

    status: Literal["read", "recalled"]
    """Read at the source, or recalled from the paper and checked by arithmetic where a note does not say otherwise."""

    source: str
    note: str = ""
    trained_on: str = ""
    """The source data set of a transfer."""


def averaged_over(table: Published) -> tuple[str, ...]:
    """The data sets of its `average`."""
    return {"cross-dataset": TARGETS["imagenet"], "domain": SHIFTS["imagenet"]}.get(table.protocol, BENCHMARK)


@cache
def published() -> tuple[Published, ...]:
    """Everything there is, protocol by protocol."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return tuple(_table(entry) for file in files for entry in tomllib.loads(file.read_text(encoding="utf-8"))["table"])


def _table(entry: Mapping[str, Any]) -> Published:
    numbers = {data: tuple(values) for data, values in entry["numbers"].items()}
    return Published(**{**entry, "measures": tuple(entry["measures"]), "numbers": numbers})
