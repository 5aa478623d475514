"""A protocol: what is trained on and what is judged. Its trials are values; the runner does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from bmip.data.dataset import Dataset
from bmip.data.names import data_name
from bmip.experiments.default_data import EMBEDDED
from bmip.experiments.evaluated_parts import Evaluated, Parts, Trained, evaluate_parts
from bmip.experiments.trial import HALF, Trial


@dataclass(frozen=True)
class Protocol:
    name: str
    meaning: str
    """What its numbers say, in three sentences."""

    parts: Callable[[Trial, Callable[[str], Dataset]], Parts]
    """From a trial and a function that loads data sets by name."""

    judge: Callable[[Trained], Evaluated] = evaluate_parts
    trains_as: str = ""
    """The protocol that trains on the same images, in whose folders this one trains too; empty for its own."""

    data: tuple[str, ...] = EMBEDDED
    """What is trained on where nothing is said."""

    targets: Mapping[str, tuple[str, ...]] | None = None
    """What is judged beside each data set that is trained on, where nothing is said; None where nothing ever is."""

    halves: bool = False
    """Whether classes are split into base and novel ones, by `Trial.base`."""

    shots: tuple[int, ...] = (16,)
    preset: str = ""
    """Of a method that has one of this name: what is taken where nothing is said."""

    draws: bool = False
    """Whether what is judged depends on the data seed, even for a method that learns nothing."""

    def trials(
        self,
        datasets: Iterable[str],
        methods: Iterable[Trial],
        seeds: Iterable[int],
        *,
        init_seeds: Iterable[int] | None = None,
        targets: Sequence[str] | None = None,
    ) -> Iterator[Trial]:
        """Every method on every data set with every seed, data set by data set; then the same judged on each target.

        Args:
            methods: trials that say everything but data set and seeds (`bmip.experiments.method_trial.method_trial`).
            seeds: of the data; each is the initialisation seed as well, unless `init_seeds` are given: then every data
                seed meets every one of those.
            targets: in place of those of the protocol.

        Raises:
            ValueError: for targets where a protocol has none, and where it needs some; for base classes likewise.
        """
        methods, seeds = list(methods), list(seeds)
        if not self.halves and any(one.base != HALF for one in methods):
            raise ValueError(f"{self.name} knows no base and novel classes: leave out the base classes")
        pairs = [(seed, seed) for seed in seeds] if init_seeds is None else list(product(seeds, init_seeds))
        targets = None if targets is None else [data_name(target) for target in targets]
        for data in map(data_name, datasets):
            judged = ("", *self.targets_of(data, targets))
            for (data_seed, init_seed), method, target in product(pairs, methods, judged):
                yield replace(method.on(data, data_seed, init_seed, protocol=self.name), target=target)

    def targets_of(self, data: str, asked: Sequence[str] | None = None) -> tuple[str, ...]:
        if self.targets is None:
            if asked:
                raise ValueError(
                    f"{self.name} judges the data set that it trains on: leave out the targets {', '.join(asked)}"
                )
            return ()
        if data in (asked or ()):
            raise ValueError(f"{data!r} is trained on and judged anyway: leave it out of the targets")
        if asked or data in self.targets:
            return tuple(asked or self.targets[data])
        raise ValueError(
            f"{self.name} from {data!r} needs targets: name the data sets to judge "
            f"(they are known for {', '.join(self.targets)})"
        )

    def trained(self, trial: Trial) -> Trial:
        """The trial whose folder holds the training, which all trials share that train on the same images."""
        return replace(trial, protocol=self.trains_as or trial.protocol, target="")
