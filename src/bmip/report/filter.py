"""Selects rows. A report keeps all seeds of what is selected; a list of rows may be of some seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bmip.experiments.results import Row
from bmip.report.places import PlacedRow, placed
from bmip.system.method_name import asked_name

_JOINED = {"method": "of", "data set": "on", "protocol": "under", "seed": "with seed"}


def select(
    rows: Iterable[Row],
    data: Sequence[str] = (),
    methods: Sequence[str] = (),
    *,
    protocols: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Row]:
    """The rows of these methods, protocols and data seeds that were evaluated on these data sets; an empty list means
    all of them.

    A name selects all versions of a data set; "name (hash)", as the tables print it, selects one older version. A
    method's name selects all its presets, "bmip:released" one of them, and a label what the plan of a study calls so.
    Raises ValueError for a data set, method, protocol or seed without rows, with those that there are.
    """
    rows = list(rows)
    wanted = {
        "method": [asked_name(name) for name in methods],
        "data set": list(data),
        "protocol": list(protocols),
        "seed": list(map(str, seeds)),
    }
    named = [_names(one) for one in placed(rows)]
    for kind, asked in wanted.items():
        _check(kind, asked, [names[kind] for names in named])
    found = [
        row
        for row, names in zip(rows, named, strict=True)
        if all(not asked or names[kind] & set(asked) for kind, asked in wanted.items())
    ]
    if not found:
        asked = " ".join(f"{_JOINED[kind]} {' or '.join(names)}" for kind, names in wanted.items() if names)
        raise ValueError(f"no row is {asked}: ask for fewer of them")
    return found


def _names(one: PlacedRow) -> dict[str, set[str]]:
    """The names under which one may ask for a row, by what they name."""
    trial, place, label = one.row.trial, one.evaluated_on, one.row.label
    labels = {label, label.replace("_", "-")} if label else set()
    return {
        "data set": {place.name, str(place)},
        "method": {trial.run.method_name, f"{trial.run.method_name}:{trial.run.preset}", *labels},
        "protocol": {trial.protocol},
        "seed": {str(trial.run.data_seed)},
    }


def _check(kind: str, wanted: Iterable[str], known: Sequence[set[str]]) -> None:
    """Each of `known` holds the names of one row's data set, say, of which the shortest stands in the message."""
    for name in wanted:
        if not any(name in names for names in known):
            there = sorted({min(names, key=len) for names in known})
            raise ValueError(f"{name!r} is no {kind} of these results: there is {', '.join(there)}")
