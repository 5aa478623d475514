"""Some data sets and methods of the rows, always with all their seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmip.experiments.results import Row
from bmip.report.labels import called
from bmip.report.places import placed


def select(rows: Iterable[Row], data: Sequence[str] = (), methods: Sequence[str] = ()) -> list[Row]:
    """Rows judged on one of the data sets and made by one of the methods; without any of these, all.

    A data set with several splits may be asked for by its name, or by its name and the letters of one of them.
    Raises ValueError for what no row is about, with what there is.
    """
    rows = list(rows)
    named = [(row, {one.evaluated_on.name, str(one.evaluated_on)}) for row, one in zip(rows, placed(rows), strict=True)]
    methods = [name.replace("_", "-") for name in methods]
    _check("data set", data, [name for _, names in named for name in names])
    _check("method", methods, [called(row.trial.run) for row in rows])
    found = [
        row
        for row, names in named
        if (not data or names & set(data)) and (not methods or called(row.trial.run) in methods)
    ]
    if not found:
        raise ValueError(f"no row is of {' or '.join(methods)} on {' or '.join(data)}: ask for fewer of them")
    return found


def _check(kind: str, asked: Iterable[str], known: Iterable[str]) -> None:
    for name in asked:
        if name not in known:
            raise ValueError(f"{name!r} is no {kind} of these results: there is {', '.join(sorted(set(known)))}")
