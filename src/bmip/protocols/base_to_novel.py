"""Base to novel: train on one half of the classes, judge both halves. (CoCoOp, section 4.1)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bmip.data.dataset import Dataset
from bmip.data.sampling import base_novel, few_shot
from bmip.protocols.protocol import Parts, Protocol
from bmip.protocols.trial import Trial


def base_to_novel(
    datasets: Iterable[str], methods: Iterable[Trial], seeds: Iterable[int], *, init_seeds: Iterable[int] | None = None
) -> Iterator[Trial]:
    """Every method on every data set with every seed, data set by data set.

    Args:
        methods: trials that say everything but data set and seeds (`bmip.protocols.method_trial`).
        seeds: of the data; each is the initialisation seed as well, unless `init_seeds` are given: then every data
            seed meets every one of those.
    """
    methods, seeds = list(methods), list(seeds)
    pairs = [(seed, seed) for seed in seeds]
    if init_seeds is not None:
        init_seeds = list(init_seeds)
        pairs = [(seed, init) for seed in seeds for init in init_seeds]
    for data in datasets:
        for data_seed, init_seed in pairs:
            for method in methods:
                yield method.on(data, data_seed, init_seed, protocol=PROTOCOL.name)


def _parts(trial: Trial, load: Callable[[str], Dataset]) -> Parts:
    """Shots are drawn from all classes before these are halved, as in the released code."""
    base, novel = base_novel(few_shot(load(trial.data), trial.shots, trial.data_seed))
    return Parts(base, {"base": base, "novel": novel})


PROTOCOL = Protocol(
    "base-to-novel",
    "The first half of a data set's classes is base, the rest novel. Prompts are trained on the few-shot images of the "
    "base classes; base test images are then classified among the base names, novel test images among the novel names, "
    "which training has never seen. The harmonic mean of both accuracies is what is compared.",
    _parts,
)
