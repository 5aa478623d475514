"""Selects rows by data set and method. All seeds of what is selected are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmip.experiments.results import Row
from bmip.report.places import placed


def select(rows: Iterable[Row], data: Sequence[str] = (), methods: Sequence[str] = ()) -> list[Row]:
    """The rows of these methods that were evaluated on these data sets; an empty list means all of them.

    A name selects all versions of a data set; "name (hash)", as the tables print it, selects one older version.
    Raises ValueError for a data set or method without rows, with those that there are.
    """
    rows = list(rows)
    named = [(row, {one.evaluated_on.name, str(one.evaluated_on)}) for row, one in zip(rows, placed(rows), strict=True)]
    methods = [name.replace("_", "-") for name in methods]
    _check("data set", data, [name for _, names in named for name in names])
    _check("method", methods, [row.trial.run.method_name for row in rows])
    found = [
        row
        for row, names in named
        if (not data or names & set(data)) and (not methods or row.trial.run.method_name in methods)
    ]
    if not found:
        raise ValueError(f"no row is of {' or '.join(methods)} on {' or '.join(data)}: ask for fewer of them")
    return found


def _check(kind: str, asked: Iterable[str], known: Iterable[str]) -> None:
    for name in asked:
        if name not in known:
            raise ValueError(f"{name!r} is no {kind} of these results: there is {', '.join(sorted(set(known)))}")
