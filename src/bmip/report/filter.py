"""Selects rows by data set and method. All seeds of what is selected are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmip.experiments.results import Row
from bmip.report.places import placed


def select(rows: Iterable[Row], data: Sequence[str] = (), methods: Sequence[str] = ()) -> list[Row]:
    """The rows of these methods that were evaluated on these data sets; an empty list means all of them.

    A name selects all versions of a data set; "name (hash)", as the tables print it, selects one older version. A
    method's name selects all its presets, and "bmip:released" one of them.
    Raises ValueError for a data set or method without rows, with those that there are.
    """
    named: list[tuple[Row, set[str], set[str]]] = []
    for one in placed(rows):
        run, place = one.row.trial.run, one.evaluated_on
        named.append((one.row, {place.name, str(place)}, {run.method_name, f"{run.method_name}:{run.preset}"}))
    methods = [name if "." in name else name.replace("_", "-") for name in methods]
    _check("data set", data, [places for _, places, _ in named])
    _check("method", methods, [names for _, _, names in named])
    found = [
        row
        for row, places, names in named
        if (not data or places & set(data)) and (not methods or names & set(methods))
    ]
    if not found:
        raise ValueError(f"no row is of {' or '.join(methods)} on {' or '.join(data)}: ask for fewer of them")
    return found


def _check(kind: str, wanted: Iterable[str], known: Sequence[set[str]]) -> None:
    """Each of `known` holds the names of one row's data set or method, of which the shortest stands in the message."""
    for name in wanted:
        if not any(name in names for names in known):
            there = sorted({min(names, key=len) for names in known})
            raise ValueError(f"{name!r} is no {kind} of these results: there is {', '.join(there)}")
