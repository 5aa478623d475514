"""The names of a table's lines, and the end of its title."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePath

from bmip.experiments.method_facts import known_methods
from bmip.experiments.presets import choose_preset, for_any_data
from bmip.experiments.results import Row
from bmip.run_spec import HALF, RunSpec, Value, shots_text
from bmip.system.messages import first_few
from bmip.system.method_name import check_written

NAMED = 4  # base classes in a title
_DIGITS = re.compile(r"(\d+)")
Variant = RunSpec
"""A run without data set and seeds: one line of a table."""

Changes = set[tuple[str, Value]]
"""Settings that differ from the preset."""


def variant(row: Row, *, shots: bool) -> Variant:
    """The line that a row belongs to. What its preset has for its data set alone does not make another line, and of the
    training settings of an untrained method only the precision matters.

    `shots` says whether rows with different numbers of shots belong to different lines.
    """
    found = for_any_data(row.trial.run).variant()
    if row.trainable == 0:
        found = replace(found, training=tuple(pair for pair in found.training if pair[0] == "precision"))
    return found if shots else replace(found, shots=0)


def labels(rows: Sequence[Row], *, shots: bool, made_for: str = "") -> dict[Variant, str]:
    """The name of each line: the method, its preset if it had to be asked for, and the settings that make the line
    differ from others or from the preset. Where all rows of a line have the same label, it stands in place of these;
    behind it stand the method where the label is that of several methods, and the settings that differ between lines of
    the same label.

    Untrained methods come first and BMIP and its combinations last. Of one method, lines without a label come first,
    and numbers in labels count as numbers. Settings that differ from the preset of some and are the same in all trained
    lines are left out: the title names them. For `shots` see `variant`, for `made_for` see `choose_preset`.
    """
    untrained = {variant(row, shots=shots) for row in rows if row.trainable == 0}
    changed, shared = _changed(rows, shots), _shared(rows, shots)
    given, tuned = _given(rows, shots), _tuned(rows, shots)
    variants = sorted(
        changed,
        key=lambda one: (
            one not in untrained,
            one.method.startswith("bmip"),
            one.method,
            [(not part.isdigit(), part.zfill(9)) for part in _DIGITS.split(given.get(one, "")) if part],
            repr(one),
        ),
    )
    found = {}
    for one in variants:
        label = given.get(one, "")
        chosen = " (settings chosen for each data set)" if one in tuned else ""
        method = one.method_name + _preset(one, variants, made_for)
        several = len({other.method for other in variants if given.get(other) == label}) > 1
        head = (f"{label} ({method})" if label and several else label or method) + chosen
        same = [
            other
            for other in variants
            if (given.get(other) == label if label else (other.method, other.preset) == (one.method, one.preset))
        ]
        common = set.intersection(*(set(other.options) | set(other.training) for other in same))
        shown = (set(one.options + one.training) - common | (set() if label else changed[one])) - shared
        own = [f"{name}={value}" for name, value in one.options + one.training if (name, value) in shown]
        if len({other.read.template for other in same}) > 1:
            own.append(repr(one.read.template) if one.read.template else "own template")
        found[one] = " ".join([head, *own])
    return found


def _given(rows: Iterable[Row], shots: bool) -> dict[Variant, str]:
    """The label of each line whose rows all have the same one."""
    found: dict[Variant, set[str]] = defaultdict(set)
    for row in rows:
        found[variant(row, shots=shots)].add(row.label)
    return {one: next(iter(own)) for one, own in found.items() if len(own) == 1 and own != {""}}


def _preset(one: Variant, variants: Iterable[Variant], made_for: str) -> str:
    """The preset as one asks for it, such as ":released"; nothing where it is the one taken without asking.

    A file stands there without its folder, unless another preset of the method has the same name.
    """
    try:
        check_written(one.method, [facts.name for facts in known_methods()])
        by_itself, _ = choose_preset(one.method, None, one.backbone, made_for)
    except ValueError:  # a method from outside that is not imported here
        by_itself = "default"
    if one.preset == by_itself:
        return ""
    name = PurePath(one.preset).name
    twins = {other.preset for other in variants if other.method == one.method and PurePath(other.preset).name == name}
    return f":{one.preset if len(twins) > 1 else name}"


def _tuned(rows: Iterable[Row], shots: bool) -> set[Variant]:
    """The lines with settings that were chosen for a data set alone."""
    return {variant(row, shots=shots) for row in rows if for_any_data(row.trial.run) != row.trial.run}


def _changed(rows: Iterable[Row], shots: bool) -> dict[Variant, Changes]:
    """The settings of each line that differ from its preset."""
    found: dict[Variant, Changes] = defaultdict(set)
    for row in rows:
        one = variant(row, shots=shots)
        found[one] |= set(row.changed) & set(one.options + one.training)
    return found


def _shared(rows: Sequence[Row], shots: bool) -> Changes:
    """Settings of all trained lines that differ from the preset of some; the precision, if all lines have it."""
    changed = _changed(rows, shots)
    trained = {variant(row, shots=shots) for row in rows if row.trainable}
    common = set.intersection(*({*one.options, *one.training} for one in trained)) if trained else set()
    found = common & set().union(*(changed[one] for one in trained))
    return {pair for pair in found if pair[0] != "precision" or all(pair in one.training for one in changed)}


def circumstances(rows: Sequence[Row], *, shots: bool) -> str:
    """The end of a title: shots, base classes, changed settings and backbone, as all rows have them.

    `shots` says whether the title names the number of shots.
    """
    run = rows[0].trial.run
    trained_on = f", {shots_text(run.shots)}" if shots else ""
    first = first_few(run.base, NAMED) if isinstance(run.base, tuple) else f"the first {run.base:.0%}"
    base = "" if run.base == HALF else f", base: {first}"
    shared = "".join(f", {name}={value}" for name, value in sorted(_shared(rows, shots)))
    return f"{trained_on}{base}{shared}, {run.backbone} ({rows[0].backbone[:8]})"
