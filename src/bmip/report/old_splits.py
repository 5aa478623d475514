"""Rows on older images or splits of a data set than its latest ones stand apart, and are called so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from bmip.experiments.results import Row

LETTERS = 8  # of the hash, behind the name
CAPTION = " In brackets: how the hash of older images or splits begins, on which these rows are."


def told_apart(rows: Iterable[Row]) -> list[Row]:
    """Of a data set with several splits the latest row's keeps the name; others get the first letters of the hash."""
    rows = list(rows)
    latest = {name: split for row in rows for name, split in _named(row)}
    return [
        _renamed(row, [name if latest[name] == split else f"{name} ({split[:LETTERS]})" for name, split in _named(row)])
        for row in rows
    ]


def is_older(row: Row) -> bool:
    """Whether `told_apart` has named it so."""
    return any(name.endswith(f" ({split[:LETTERS]})") for name, split in _named(row))


def _named(row: Row) -> Iterator[tuple[str, str]]:
    """The data sets of a row, each with its hash."""
    yield row.trial.run.data, row.split
    if row.trial.target:
        yield row.trial.target, row.target_split


def _renamed(row: Row, names: Sequence[str]) -> Row:
    data, *target = names
    run = replace(row.trial.run, data=data)
    return replace(row, trial=replace(row.trial, run=run, target=target[0] if target else ""))
