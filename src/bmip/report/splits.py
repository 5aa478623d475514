"""Rows on another split of a data set are rows of another data set, and are called so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bmip.results import Row

LETTERS = 8  # of the hash, behind the name
CAPTION = " In brackets behind a data set of which there are several: how the hash of its images and splits begins."


def told_apart(rows: Iterable[Row]) -> list[Row]:
    """Where a data set has several splits, its name gets the first letters of the hash."""
    rows = list(rows)
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for name, split in _named(row):
            splits[name].add(split)
    return [
        _renamed(row, [f"{name} ({split[:LETTERS]})" if len(splits[name]) > 1 else name for name, split in _named(row)])
        for row in rows
    ]


def are_told_apart(rows: Iterable[Row]) -> bool:
    return any(name.endswith(f" ({split[:LETTERS]})") for row in rows for name, split in _named(row))


def _named(row: Row) -> Iterator[tuple[str, str]]:
    """The data sets of a row, each with its hash."""
    names = [row.trial.data, row.trial.target] if row.trial.target else [row.trial.data]
    return zip(names, row.split.split("+"), strict=False)


def _renamed(row: Row, names: Sequence[str]) -> Row:
    trial = replace(row.trial, **dict(zip(("data", "target"), names, strict=False)))
    return replace(row, trial=trial)
