"""From a plan to its trials."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from bmip.data.names import data_name
from bmip.experiments.method_facts import method_facts
from bmip.experiments.method_trial import method_trial
from bmip.experiments.presets import choose_preset, presets, read_presets
from bmip.experiments.protocol import Protocol
from bmip.experiments.registry import protocol
from bmip.experiments.trial import Trial
from bmip.run_spec import HALF, RunSpec
from bmip.studies.checks import PlanError
from bmip.studies.grid import points
from bmip.studies.plan import Comparison, Plan, PlannedMethod


@dataclass(frozen=True)
class Planned:
    """A trial of a study."""

    trial: Trial
    label: str = ""
    """What the plan calls its method; empty where it says nothing."""


def expand(plan: Plan) -> list[Planned]:
    """All trials of a plan, each once. What shares a backbone, and then a data set, stands together.

    Raises PlanError for what does not fit together, such as a preset that a method has not, or two labels for the same
    trial.
    """
    roots = list(dict.fromkeys(one.read.root for one in plan.comparisons if one.read.root))
    if len(roots) > 1:
        raise PlanError(f"the plan names the roots {' and '.join(roots)}: all its data sets must lie below one root")
    found: dict[Trial, Planned] = {}
    for number, comparison in enumerate(plan.comparisons, 1):
        try:
            for one in _trials(comparison):
                known = found.setdefault(one.trial, one)
                if known.label != one.label:
                    names = " and ".join(each.label or each.trial.run.method for each in (known, one))
                    raise PlanError(f"{names} have the same settings: leave one of them out")
        except ValueError as error:
            raise PlanError(f"the plan's [[compare]] number {number}: {error}") from error
    order = {key: place for place, key in enumerate(dict.fromkeys(map(_loaded, found)))}
    return sorted(found.values(), key=lambda one: order[_loaded(one.trial)])


def _loaded(trial: Trial) -> tuple[str, str, str]:
    """What a worker loads for a trial."""
    return trial.run.backbone, trial.run.precision, trial.run.data


def _trials(comparison: Comparison) -> Iterator[Planned]:
    ways = [protocol(name) for name in comparison.protocols]
    if comparison.targets and all(way.targets is None for way in ways):
        raise PlanError(f"{', '.join(comparison.protocols)} has no targets: leave them out")
    if comparison.base != HALF and all(way.classes != "base" for way in ways):
        raise PlanError(f"{', '.join(comparison.protocols)} has no base classes: leave base out")
    for way in ways:
        data = tuple(map(data_name, comparison.data or way.data))
        targets = comparison.targets if way.targets is not None else ()
        for name, spec, label in _specs(comparison, way, data, targets):
            for trial in way.trials(
                [name],
                [spec],
                comparison.seeds,
                init_seeds=comparison.init_seeds or None,
                targets=targets or None,
            ):
                yield Planned(trial, label)


def _specs(
    comparison: Comparison, way: Protocol, data: tuple[str, ...], targets: tuple[str, ...]
) -> Iterator[tuple[str, RunSpec, str]]:
    """For every method, number of shots, backbone, precision and data set: the data set, the spec, and what the plan
    calls the method."""
    shots = comparison.shots or way.shots
    for method, count, backbone, precision, name in product(
        comparison.methods, shots, comparison.backbone or ("",), comparison.precision or ("",), data
    ):
        common = {**comparison.training, **({"precision": precision} if precision else {})}
        training = {**common, **method.training}
        chosen = list(product(points(method.options), points(training)))
        if method.label and len(chosen) > 1:
            raise PlanError(f"the label {method.label!r} stands for {len(chosen)} settings: leave it out, or the lists")
        for options, trained in chosen:
            spec = method_trial(
                method.method,
                method.preset or _common(comparison, method),
                options=options,
                training=trained,
                shots=count,
                backbone=backbone or None,
                data=(*data, *targets),
                read=comparison.read,
                base=comparison.base if way.classes == "base" else HALF,
                trained_on=name,
                made_for=way.preset,
            )
            yield name, spec, method.label


def _common(comparison: Comparison, method: PlannedMethod) -> str | None:
    """The comparison's preset, where the method has it. Raises ValueError for one that none of its methods has."""
    if not comparison.preset:
        return None
    if not any(_has(one, comparison.preset) for one in comparison.methods if not one.preset):
        choose_preset(method.method, comparison.preset, backbone="")  # which says what there is
    return comparison.preset if _has(method, comparison.preset) else None


def _has(method: PlannedMethod, preset: str) -> bool:
    if preset.endswith(".toml"):
        return method_facts(method.method).name in read_presets(Path(preset))
    return preset in presets(method.method)
