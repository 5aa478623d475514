"""What the shell completes: names of methods, presets, protocols, data sets and backbones. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

from bmip.clip.loading.backbones import backbones as known_backbones
from bmip.data.names import dataset_names
from bmip.data.public.registry import PUBLIC
from bmip.experiments.method_facts import known_methods
from bmip.experiments.presets import presets as presets_of
from bmip.experiments.registry import protocol_names
from bmip.system.method_name import asked_name


def methods(incomplete: str) -> list[str]:
    """Names of methods; behind "bmip:" those of its presets."""
    method, colon, _ = incomplete.partition(":")
    if colon:
        return _starting(incomplete, (f"{method}:{preset}" for preset in _presets(method)))
    return _starting(incomplete, (asked_name(facts.name) for facts in known_methods()))


def presets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the presets of the methods that stand before it."""
    asked = ctx.params.get("method") or ()
    names = [asked] if isinstance(asked, str) else asked
    return _starting(incomplete, dict.fromkeys(preset for name in names for preset in _presets(name)))


def _names(known: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return _starting(incomplete, known())

    return complete


additions = _names(lambda: (facts.name for facts in known_methods() if facts.adds))
protocols = _names(protocol_names)
data_sets = _names(dataset_names)  # the shell knows the folders itself
public_data_sets = _names(lambda: PUBLIC)
backbones = _names(lambda: (backbone.name for backbone in known_backbones()))


def _presets(method: str) -> tuple[str, ...]:
    try:
        return tuple(presets_of(method.partition(":")[0]))
    except ValueError:  # half a name
        return ()


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
