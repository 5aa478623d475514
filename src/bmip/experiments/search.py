"""The same small search for every method: learning rate and epochs, evaluated on validation images alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

from bmip.data.dataset import DataError
from bmip.data.names import data_name
from bmip.data.sampling import split_base_novel
from bmip.experiments.evaluated_parts import Load, Parts, check_images, few_shot
from bmip.experiments.presets import EPOCHS, LRS
from bmip.experiments.protocol import Protocol
from bmip.experiments.results import Row
from bmip.experiments.trial import Trial
from bmip.metrics import harmonic_mean
from bmip.run_spec import Preset, RunSpec, settings

COMMON: Mapping[str, str | int] = {"optimizer": "adamw", "batch": 16, "warmup_epochs": 0}
"""Settings that are the same for every method and every point of the grid."""


def search_trials(
    methods: Iterable[RunSpec],
    datasets: Iterable[str],
    seeds: Iterable[int],
    *,
    lrs: Sequence[float] = LRS,
    epochs: Sequence[int] = EPOCHS,
) -> Iterator[Trial]:
    """The whole grid for each method. Of a method's own training settings only the precision is kept."""
    datasets, seeds = [data_name(data) for data in datasets], list(seeds)
    for method in methods:
        kept = {name: value for name, value in method.training if name == "precision"}
        for lr, count in product(lrs, epochs):
            point = replace(method, training=settings({**COMMON, **kept, "lr": lr, "epochs": count}))
            for data in datasets:
                yield from PROTOCOL.trials([data], [point], seeds)


def best_presets(rows: Iterable[Row], asked: str) -> dict[str, Preset]:
    """For each method the point with the highest harmonic mean of base and novel accuracy on the validation images.

    Accuracies are averaged over data sets and seeds first. A point counts only if it was evaluated on every data set
    and seed that any point of its method was evaluated on; a method without such a point has no preset, and nor has a
    method without trainable parameters. Of equally good points the shortest training is taken. `asked` holds the
    command's options beside the method's name; they are kept as the source.
    """
    points: dict[RunSpec, list[Row]] = defaultdict(list)
    for row in rows:
        if row.trial.protocol == PROTOCOL.name and row.trainable:
            points[row.trial.run.variant()].append(row)
    best: dict[str, Preset] = {}
    for method in sorted({point.method for point in points}):
        own = {point: found for point, found in points.items() if point.method == method}
        seen = {point: {(row.trial.run.data, row.trial.run.data_seed) for row in found} for point, found in own.items()}
        every = set[tuple[str, int]]().union(*seen.values())
        whole = {point: _score(found) for point, found in own.items() if seen[point] == every}
        if not whole:
            continue
        point, score = min(whole.items(), key=lambda pair: (-pair[1], dict(pair[0].training)["epochs"], repr(pair[0])))
        command = f"bmip search --method {point.method_name} {asked}"
        source = f"{command}: best of {len(whole)} settings by harmonic mean on validation images ({score:.1f} %)"
        training = {name: value for name, value in point.training if name != "precision"}
        best[method] = Preset(source, dict(point.options), training)
    return best


def _score(rows: Sequence[Row]) -> float:
    base, novel = (sum(row.counts[part].percent for row in rows) / len(rows) for part in ("base", "novel"))
    return harmonic_mean(base, novel)


def _parts(trial: Trial, load: Load) -> Parts:
    whole = load(trial.run.data)
    if whole.val is None or whole.val_is_test:
        raise DataError(f"{whole.name} has no validation images of its own, so nothing can be chosen on it")
    evaluated = {}
    drawn, halves = (split_base_novel(one, trial.run.base) for one in (few_shot(trial, load), whole))
    for which, half, full in zip(("base", "novel"), drawn, halves, strict=True):
        evaluated[which] = replace(half, test=full.val)
        check_images(evaluated[which], f"the {which} classes", split="validation")
    return Parts(evaluated["base"], evaluated)


PROTOCOL = Protocol(
    "validation",
    "Prompts are trained as in base-to-novel. They are evaluated on all validation images of the base and the novel "
    "classes in place of the test images. Settings are chosen by it, so its numbers are no results.",
    _parts,
    classes="base",
    split="val",
)
