"""Data seeds and initialisation seeds: their number, averages over them, and the deviation that each causes."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

Seeds = tuple[int, int]
"""Data seed and initialisation seed."""


def by_data_seed(values: Mapping[Seeds, float]) -> list[float]:
    """The mean of each data seed over its initialisation seeds, since runs on the same images are not independent."""
    found: dict[int, list[float]] = defaultdict(list)
    for (data, _), value in values.items():
        found[data].append(value)
    return [sum(own) / len(own) for own in found.values()]


def are_crossed(seeds: Iterable[Seeds]) -> bool:
    """Whether a data seed was run with several initialisation seeds."""
    return any(count > 1 for count in Counter(data for data, _ in seeds).values())


def seeds_text(runs: Iterable[Collection[Seeds]]) -> str:
    """The number of data seeds as text, or data seeds by initialisation seeds if they are crossed: "3" or "2 x 10".

    If several sets of runs have different numbers, the smallest and the largest: "1-3".
    """
    counts = [Counter(data for data, _ in seeds) for seeds in runs]
    inits = [count for own in counts for count in own.values()]
    data = _range(list(map(len, counts)))
    return f"{data} x {_range(inits)}" if max(inits, default=1) > 1 else data


def deviations(values: Mapping[Seeds, float]) -> tuple[float | None, float | None]:
    """The standard deviation between data seeds, and the one between initialisation seeds.

    Each is that of means over the other kind of seeds. Only data seeds that were run with every initialisation seed
    count. None if fewer than two means are left.
    """
    by_data: dict[int, dict[int, float]] = defaultdict(dict)
    for (data, init), value in values.items():
        by_data[data][init] = value
    every = {init for own in by_data.values() for init in own}
    whole = [own for own in by_data.values() if own.keys() == every]
    if not whole:
        return None, None
    return (
        _deviation([statistics.fmean(own.values()) for own in whole]),
        _deviation([statistics.fmean(own[init] for own in whole) for init in sorted(every)]),
    )


def _deviation(means: Sequence[float]) -> float | None:
    return statistics.stdev(means) if len(means) > 1 else None


def _range(counts: Sequence[int]) -> str:
    fewest, most = min(counts, default=0), max(counts, default=0)
    return str(most) if fewest == most else f"{fewest}-{most}"
