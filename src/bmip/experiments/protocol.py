"""A protocol: what is trained on and what is evaluated. Its trials are values; the runner does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from bmip.data.names import data_name
from bmip.experiments.default_data import EMBEDDED
from bmip.experiments.evaluated_parts import Evaluated, Load, Parts, Trained, evaluate_parts
from bmip.experiments.trial import Trial
from bmip.run_spec import HALF, RunSpec


@dataclass(frozen=True)
class Protocol:
    """A way to train and to evaluate. Each number in a table belongs to one.

    Trials of different protocols whose runs are equal share one training.
    """

    name: str
    meaning: str
    """What its numbers say, in three sentences."""

    parts: Callable[[Trial, Load], Parts]
    """Makes what is trained on and evaluated, from a trial and a function that loads data sets by name."""

    evaluate: Callable[[Trained], Evaluated] = evaluate_parts
    """Computes the numbers of a trained trial."""

    classes: Literal["all", "base"] = "all"
    """The classes that are trained on; with "base" they are split by `RunSpec.base`."""

    split: Literal["test", "val"] = "test"
    """The split that is evaluated after training."""

    data: tuple[str, ...] = EMBEDDED
    """The data sets that are trained on if none are named."""

    targets: Mapping[str, tuple[str, ...]] | None = None
    """The data sets that are evaluated beside each data set that is trained on, if none are named; None where a
    protocol has no targets."""

    shots: tuple[int, ...] = (16,)
    """The numbers of shots if none are named."""

    preset: str = ""
    """The preset that is taken if none is named, for methods that have one of this name."""

    one_rule: bool = False
    """Whether classes of training are told from others by their logits, so that one rule must make both."""

    draws: bool = False
    """Whether the evaluated images or classes depend on the data seed."""

    def trials(
        self,
        datasets: Iterable[str],
        methods: Iterable[RunSpec],
        seeds: Iterable[int],
        *,
        init_seeds: Iterable[int] | None = None,
        targets: Sequence[str] | None = None,
    ) -> Iterator[Trial]:
        """One trial for every data set, seed, method and target, in this order.

        Args:
            datasets: what is trained on.
            methods: specs that say everything but data set and seeds (`method_trial`).
            seeds: data seeds. Each is the initialisation seed as well, unless `init_seeds` are given: then every data
                seed meets every one of those.
            targets: in place of those of the protocol.

        Raises:
            ValueError: for targets where the protocol has none, for missing targets where it needs some, and for base
                classes where it does not split the classes.
        """
        methods, seeds = list(methods), list(seeds)
        if self.classes == "all" and any(one.base != HALF for one in methods):
            raise ValueError(f"{self.name} knows no base and novel classes: leave out the base classes")
        pairs = [(seed, seed) for seed in seeds] if init_seeds is None else list(product(seeds, init_seeds))
        targets = None if targets is None else [data_name(target) for target in targets]
        for data in map(data_name, datasets):
            evaluated = ("", *self.targets_of(data, targets))
            for (data_seed, init_seed), method in product(pairs, methods):
                seeded = replace(method, data=data, data_seed=data_seed, init_seed=init_seed)
                run = replace(seeded, classes=self.classes, split=self.split)
                yield from (Trial(protocol=self.name, run=run, target=target) for target in evaluated)

    def targets_of(self, data: str, asked: Sequence[str] | None = None) -> tuple[str, ...]:
        """The targets for a data set that is trained on: those asked for, or the protocol's.

        Raises ValueError for targets that do not fit the protocol.
        """
        if self.targets is None:
            if asked:
                raise ValueError(
                    f"{self.name} evaluates the data set that it trains on: leave out the targets {', '.join(asked)}"
                )
            return ()
        if data in (asked or ()):
            raise ValueError(f"{data!r} is trained on and evaluated anyway: leave it out of the targets")
        if asked or data in self.targets:
            return tuple(asked or self.targets[data])
        raise ValueError(
            f"{self.name} from {data!r} needs targets: name the data sets to evaluate "
            f"(they are known for {', '.join(self.targets)})"
        )
