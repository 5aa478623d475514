"""A protocol: what is trained on and what is judged. Its trials are values; the runner does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from bmip.data.dataset import Dataset
from bmip.protocols.trial import Trial


@dataclass(frozen=True, eq=False)
class Parts:
    train: Dataset
    """Few-shot draw and choice of classes made; its test split is judged after training."""

    judged: Mapping[str, Dataset]
    """The test split of each is classified among its own classes; `train` may be among them and is not judged twice."""


@dataclass(frozen=True)
class Protocol:
    name: str
    meaning: str
    """What its numbers say, in about three sentences."""

    parts: Callable[[Trial, Callable[[str], Dataset]], Parts]
    """From a trial and a function that loads data sets by name."""

    def trials(
        self,
        datasets: Iterable[str],
        methods: Iterable[Trial],
        seeds: Iterable[int],
        *,
        init_seeds: Iterable[int] | None = None,
    ) -> Iterator[Trial]:
        """Every method on every data set with every seed, data set by data set.

        Args:
            methods: trials that say everything but data set and seeds (`bmip.protocols.settings.method_trial`).
            seeds: of the data; each is the initialisation seed as well, unless `init_seeds` are given: then every data
                seed meets every one of those.
        """
        methods, seeds = list(methods), list(seeds)
        pairs = [(seed, seed) for seed in seeds] if init_seeds is None else list(product(seeds, init_seeds))
        for data in datasets:
            for data_seed, init_seed in pairs:
                for method in methods:
                    yield method.on(data, data_seed, init_seed, protocol=self.name)
