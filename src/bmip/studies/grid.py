"""Settings of which some are lists: every list says "each of these"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any


def points(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every choice of one value from each list: {"lr": [0.1, 0.2], "epochs": 5} gives two. Without lists it is one.

    Raises ValueError for an empty list.
    """
    for name, value in values.items():
        if value == []:
            raise ValueError(f"{name} is an empty list: give at least one value")
    choices = (value if isinstance(value, list) else [value] for value in values.values())
    for chosen in product(*choices):
        yield dict(zip(values, chosen, strict=True))
