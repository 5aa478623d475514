"""The data sets of the tables. Results on older versions of a data set get tables of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bmip.experiments.results import Row

LETTERS = 8  # of the hash


@dataclass(frozen=True, order=True)
class Place:
    """A data set in one version of its images and splits."""

    name: str
    older: str = ""
    """The first letters of the version's hash; empty for the latest version that the rows hold."""

    def __str__(self) -> str:
        return f"{self.name} ({self.older})" if self.older else self.name


@dataclass(frozen=True)
class PlacedRow:
    """A row with the data sets that it is about."""

    row: Row
    trained_on: Place
    evaluated_on: Place

    @property
    def is_older(self) -> bool:
        """Whether one of its data sets is an older version."""
        return bool(self.trained_on.older or self.evaluated_on.older)


def placed(rows: Iterable[Row]) -> list[PlacedRow]:
    """Each row with its data sets. The row about a data set that was made last says which version is the latest."""
    rows = list(rows)
    by_time = sorted(rows, key=lambda row: row.time)
    latest = {name: split for row in by_time for name, split in _versions(row)}
    found = []
    for row in rows:
        places = [Place(name, "" if latest[name] == split else split[:LETTERS]) for name, split in _versions(row)]
        found.append(PlacedRow(row, places[0], places[-1]))
    return found


def _versions(row: Row) -> Iterator[tuple[str, str]]:
    """The data set that was trained on, and the target if there is one, each with its hash."""
    yield row.trial.run.data, row.split
    if row.trial.target:
        yield row.trial.target, row.target_split
