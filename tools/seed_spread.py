"""Whether seeds move all data sets alike: `python -m tools.seed_spread`.

Intervals of averages over data sets take the seeds of one data set as independent of those of another one. If that
holds, the variance over seeds of a method's average is the sum of the data sets' own variances, divided by the square
of their number. This prints the ratio of both, over the trained methods of docs/results/embedded.jsonl that have all
data sets. Beside it stands what the ratio exceeds in 5 of 100 cases where data sets are independent, if methods were
independent, too: they share the images of a seed, so the true limit is higher.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean, variance

from scipy.stats import chi2

from bmip.experiments.results import Row, read_results
from tools.results import DOCS


def ratio(methods: Sequence[Mapping[str, Mapping[int, float]]]) -> float:
    """For each method the accuracy by data set and seed, all with the same seeds; 1 where data sets are independent."""
    seen = expected = 0.0
    for data in methods:
        seeds = next(iter(data.values()))
        seen += variance(mean(own[seed] for own in data.values()) for seed in seeds)
        expected += sum(variance(own.values()) for own in data.values()) / len(data) ** 2
    return seen / expected


def accuracies(rows: Sequence[Row], part: str) -> list[dict[str, dict[int, float]]]:
    """Of each trained method in base-to-novel, by data set and seed; `part` is "base" or "novel".

    Only methods with the most data sets, and with the same seeds on all of them.
    """
    found: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row.trial.protocol == "base-to-novel" and row.trainable:
            found[row.trial.run.method][row.trial.run.data][row.trial.run.data_seed] = row.counts[part].percent
    most = max(map(len, found.values()))
    alike = [data for data in found.values() if len({tuple(sorted(seeds)) for seeds in data.values()}) == 1]
    return [data for data in alike if len(data) == most]


if __name__ == "__main__":
    rows = read_results([DOCS / "results" / "embedded.jsonl"])
    for part in ("base", "novel"):
        given = accuracies(rows, part)
        sets, seeds = len(given[0]), len(next(iter(given[0].values())))
        freedom = len(given) * (seeds - 1)
        limit = chi2.ppf(0.95, freedom) / freedom
        print(
            f"{part}: {ratio(given):.2f} times, {len(given)} methods, {sets} sets, {seeds} seeds; "
            f"limit {limit:.2f} with {freedom} degrees of freedom"
        )
