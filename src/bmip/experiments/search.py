"""The same small search for every method: learning rate and epochs, evaluated on validation images alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product

from bmip.data.dataset import DataError
from bmip.data.names import data_name
from bmip.data.sampling import split_base_novel
from bmip.experiments.evaluated_parts import Load, Parts, check_images, few_shot
from bmip.experiments.method_facts import method_facts
from bmip.experiments.presets import EPOCHS, LRS
from bmip.experiments.protocol import Protocol
from bmip.experiments.results import Row
from bmip.experiments.trial import Trial
from bmip.metrics import harmonic_mean
from bmip.run_spec import Preset, RunSpec, Value, settings, shots_text
from bmip.system.messages import counted
from bmip.training.config import TrainConfig, over_preset, train_config

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
    """The whole grid for each method. What COMMON does not say stays as the method has it, such as its weight decay."""
    datasets, seeds = [data_name(data) for data in datasets], list(seeds)
    for method in methods:
        for lr, count in product(lrs, epochs):
            training = over_preset(dict(method.training), {**COMMON, "lr": lr, "epochs": count})
            point = replace(method, training=settings(training))
            for data in datasets:
                yield from PROTOCOL.trials([data], [point], seeds)


def best_presets(rows: Iterable[Row]) -> dict[str, Preset]:
    """For each method the point with the highest harmonic mean of base and novel accuracy on the validation images.

    Accuracies are averaged over data sets and seeds first. A point counts only if it was evaluated on every data set
    and seed that any point of its method was evaluated on; a method without such a point has no preset, and nor has a
    method without trainable parameters. Of equally good points the shortest training is taken. What was compared, and
    where the best lies at the edge of it, is kept as the source. Raises ValueError for a method with rows of several
    backbones or numbers of shots: such points cannot be compared.
    """
    methods: dict[str, dict[RunSpec, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.trial.protocol == PROTOCOL.name and row.trainable:
            methods[row.trial.run.method][row.trial.run.variant()].append(row)
    best: dict[str, Preset] = {}
    for method, points in sorted(methods.items()):
        if len({(row.backbone, row.trial.run.shots) for found in points.values() for row in found}) > 1:
            raise ValueError(f"{method} has rows of several backbones or numbers of shots: give files with one of each")
        seen = {
            point: {(row.trial.run.data, row.trial.run.data_seed, row.trial.run.init_seed) for row in found}
            for point, found in points.items()
        }
        every = set[tuple[str, int, int]]().union(*seen.values())
        whole = {point: _score(found) for point, found in points.items() if seen[point] == every}
        if not whole:
            continue
        point, score = min(whole.items(), key=lambda pair: (-pair[1], _length(pair[0]), repr(pair[0])))
        varied = _varied(whole)
        data, seeds, _ = (sorted(set(side)) for side in zip(*every, strict=True))
        source = (
            f"best of {counted(len(whole), 'setting')} by harmonic mean on validation images ({score:.1f} %): "
            + "".join(f"{name} {_listed(values)}; " for name, values in varied.items())
            + f"{_listed(data)}; seeds {_listed(seeds)}; {shots_text(point.shots)}; backbone {point.backbone} "
            + f"({points[point][0].backbone[:8]})"
            + "".join(f"; {name} {value} is the edge" for name, value in _edges(point, varied))
        )
        training = {name: value for name, value in point.training if name != "precision"}
        best[method] = Preset(source, dict(point.options), training)
    return best


def _length(point: RunSpec) -> tuple[int, int]:
    """How long the training of a point is, in steps where it counts these, else in epochs."""
    config = train_config(dict(point.training))
    return config.steps_per_shot, config.epochs


def _varied(points: Iterable[RunSpec]) -> dict[str, list[Value]]:
    """The settings in which the points differ, each with its values."""
    values: dict[str, set[Value]] = defaultdict(set)
    for point in points:
        for name, value in _settings(point).items():
            values[name].add(value)
    return {name: sorted(found, key=_order) for name, found in sorted(values.items()) if len(found) > 1}


def _settings(point: RunSpec) -> dict[str, Value]:
    """All training settings and options of a point, those with their default value too."""
    defaults = {option.name: option.default for option in method_facts(point.method).options}
    return {**asdict(TrainConfig()), **defaults, **dict(point.training), **dict(point.options)}


def _order(value: Value) -> tuple[str, Value]:
    return ("", value) if isinstance(value, int | float) else (str(value), 0)


def _edges(point: RunSpec, varied: Mapping[str, Sequence[Value]]) -> Iterator[tuple[str, Value]]:
    """Numbers of the point that are the least or the largest of three or more that were tried."""
    for name, value in _settings(point).items():
        tried = varied.get(name, ())
        if len(tried) > 2 and not isinstance(value, str) and value in (tried[0], tried[-1]):
            yield name, value


def _listed(values: Iterable[object]) -> str:
    return ", ".join(repr(value) if value == "" else str(value) for value in values)


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
