"""What a table and its lines are called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from bmip.experiments.results import Row
from bmip.run_spec import HALF, RunSpec, Value, shots_text
from bmip.system.messages import first_few

NAMED = 4  # base classes in a title
Variant = RunSpec
"""A run without data set and seeds: one line of a table."""

Changes = set[tuple[str, Value]]
"""Settings that are not the preset's."""


def called(run: RunSpec) -> str:
    """The method, as a person writes it."""
    return run.method.replace("_", "-")


def variant(row: Row, *, shots: bool) -> Variant:
    """Where nothing is learned no setting of training counts but the precision."""
    found = row.trial.run.variant()
    if row.trainable == 0:
        found = replace(found, training=tuple(pair for pair in found.training if pair[0] == "precision"))
    return found if shots else replace(found, shots=0)


def labels(rows: Sequence[Row], *, shots: bool) -> dict[Variant, str]:
    """What each line is called, with as much of its settings as tells it from the others and from its preset.

    Untrained methods come first and this package's own last. What all trained lines depart in stands in the title.
    """
    untrained = {variant(row, shots=shots) for row in rows if row.trainable == 0}
    changed, shared = _changed(rows, shots), _shared(rows, shots)
    variants = sorted(changed, key=lambda one: (one not in untrained, one.method.startswith("bmip"), repr(one)))
    found = {}
    for one in variants:
        same = [other for other in variants if other.method == one.method]
        label = called(one)
        if len({other.preset for other in same}) > 1:
            label += f" ({_preset(one, same)})"
        same = [other for other in same if other.preset == one.preset]
        common = set.intersection(*(set(other.options) | set(other.training) for other in same))
        told = (set(one.options + one.training) - common | changed[one]) - shared
        own = [f"{name}={value}" for name, value in one.options + one.training if (name, value) in told]
        if len({other.read.template for other in same}) > 1:
            own.append(repr(one.read.template) if one.read.template else "own template")
        found[one] = " ".join([label, *own])
    return found


def _preset(one: Variant, same: Iterable[Variant]) -> str:
    """Of a file its name, where no other preset of the method has the same."""
    name = PurePath(one.preset).name
    twins = {other.preset for other in same if PurePath(other.preset).name == name}
    return one.preset if len(twins) > 1 else name


def _changed(rows: Iterable[Row], shots: bool) -> dict[Variant, Changes]:
    """What departs from the preset in each line."""
    found: dict[Variant, Changes] = defaultdict(set)
    for row in rows:
        one = variant(row, shots=shots)
        found[one] |= set(row.changed) & set(one.options + one.training)
    return found


def _shared(rows: Sequence[Row], shots: bool) -> Changes:
    """What departs in every line that it is about: precision in all, everything else in those that are trained."""
    changed = _changed(rows, shots)
    trained = [changed[one] for one in {variant(row, shots=shots) for row in rows if row.trainable}]
    common = set.intersection(*trained) if trained else set()
    return {pair for pair in common if pair[0] != "precision" or all(pair in own for own in changed.values())}


def circumstances(rows: Sequence[Row], *, shots: bool) -> str:
    """What a title says of all the rows."""
    run = rows[0].trial.run
    trained_on = f", {shots_text(run.shots)}" if shots else ""
    base = "" if run.base == HALF else f", {said_base(run.base)}"
    shared = "".join(f", {name}={value}" for name, value in sorted(_shared(rows, shots)))
    return f"{trained_on}{base}{shared}, {run.backbone} ({rows[0].backbone[:8]})"


def said_base(base: float | tuple[str, ...]) -> str:
    if not isinstance(base, tuple):
        return f"base: the first {base:.0%}"
    return f"base: {first_few(base, NAMED)}"
