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
from bmip.training.config import train_config


@dataclass(frozen=True)
class AskedMethod:
    """A method with the preset, options and training settings that the command line gives it."""

    name: str
    preset: str | None
    options: dict[str, Any]
    training: Mapping[str, Any]

    def spec(self, **common: Any) -> RunSpec:
        """The spec of a run without data and seeds; see `method_trial`."""
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
    taken = {name: _preset_for(name, preset) for name in facts}
    if preset and not any(taken.values()):
        choose_preset(next(iter(facts)), preset, backbone="")  # which refuses it
    for name in facts:
        if preset and not taken[name]:
            note(f"{name} has no preset {preset!r} and takes another")
    asked = [AskedMethod(name, own or taken[name], options[name], training or {}) for name, _, own in split]
    for one in asked:
        _, chosen = choose_preset(one.name, one.preset, backbone="")
        train_config({**chosen.training, **one.training})
    return asked


def specs(asked: Iterable[AskedMethod], **common: Any) -> list[RunSpec]:
    """Their specs without data and seeds; tells the person at the terminal which presets they take."""
    found = []
    for one in asked:
        spec = one.spec(**common)
        note(f"{one.name}: preset {spec.preset}")
        found.append(spec)
    return found


def combined(name: str, extras: Sequence[str] | None) -> str:
    """ "bmip:released" with promptsrc is "bmip+promptsrc:released"."""
    method, colon, preset = name.partition(":")
    return "+".join([method, *(extras or [])]) + colon + preset


def _preset_for(name: str, preset: str | None) -> str | None:
    """The preset where the method has it."""
    try:
        return preset and choose_preset(name, preset, backbone="")[0]
    except ValueError:
        return None
