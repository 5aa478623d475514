"""The methods that a command line names, checked without importing torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bmip.cli.console import note
from bmip.cli.options import parse_settings
from bmip.experiments.method_facts import method_facts
from bmip.experiments.method_trial import method_trial
from bmip.experiments.presets import choose_preset
from bmip.run_spec import RunSpec
from bmip.system.messages import first_few
from bmip.training.config import over_preset, train_config


@dataclass(frozen=True)
class AskedMethod:
    """A method with the preset, options and training settings that the command line gives it."""

    name: str
    preset: str | None
    options: dict[str, Any]
    training: Mapping[str, Any]

    def spec(self, **common: Any) -> RunSpec:
        """The spec of its runs, without data and seeds (`method_trial`)."""
        return method_trial(self.name, self.preset, options=self.options, training=self.training, **common)


def asked_methods(
    names: Sequence[str],
    extras: Sequence[str] | None = None,
    preset: str | None = None,
    pairs: Iterable[str] | None = None,
    training: Mapping[str, Any] | None = None,
) -> list[AskedMethod]:
    """The methods of names such as "bmip" or "bmip:released".

    Each one of `extras` is added to every method. `preset` holds for names without one of their own, where the method
    has it. An option of `pairs` goes to every method that has it, and so do the training settings.

    Raises ValueError for an unknown method or preset, for an option that no method has, and for a value of a wrong type
    or out of range.
    """
    split = [combined(name, extras).partition(":") for name in names]
    facts = {name: method_facts(name) for name, _, _ in split}
    options: dict[str, dict[str, Any]] = {name: {} for name in facts}
    for pair in pairs or ():
        option = pair.partition("=")[0].strip().replace("-", "_")
        takers = [name for name, one in facts.items() if option in {known.name for known in one.options}]
        for name in takers or [max(facts, key=lambda name: len(facts[name].options))]:  # which then refuses it
            options[name] |= parse_settings([pair], facts[name].options, f"the method {name!r}")
    common = {name for name, _, own in split if preset and not own}
    lacking = {name for name in common if not _has(name, preset or "")}
    if lacking == common:  # the check below refuses it
        lacking = set()
    for name in sorted(lacking):
        note(f"{name} has no preset {preset!r} and takes another")
    asked = [
        AskedMethod(name, own or (None if name in lacking else preset), options[name], training or {})
        for name, _, own in split
    ]
    for one in asked:
        _, chosen = choose_preset(one.name, one.preset, backbone="")
        train_config(over_preset(chosen.training, one.training))
    return asked


def specs(asked: Iterable[AskedMethod], trained_on: Sequence[str] = (), **common: Any) -> list[RunSpec]:
    """The specs of their runs, without data and seeds and what is chosen for one data set; tells a person which presets
    they take, and for which of the data sets that are trained on these have settings of their own."""
    found = []
    for one in asked:
        found.append(one.spec(**common))
        by_data = choose_preset(one.name, found[-1].preset, backbone="")[1].by_data
        own = [data for data in trained_on if data in by_data]
        chosen = f", with settings chosen for {first_few(own, 11)}" if own else ""
        note(f"{one.name}: preset {found[-1].preset}{chosen}")
    return found


def combined(name: str, extras: Sequence[str] | None) -> str:
    """ "bmip:released" with promptsrc is "bmip+promptsrc:released"."""
    method, colon, preset = name.partition(":")
    return "+".join([method, *(extras or [])]) + colon + preset


def _has(name: str, preset: str) -> bool:
    try:
        choose_preset(name, preset, backbone="")
    except ValueError:
        return False
    return True
