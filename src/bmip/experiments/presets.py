"""Settings with a name: those that a method brings along, and `embedded`, found by search on the embedded data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from bmip.clip.loading.backbones import EMBEDDED
from bmip.experiments.method_facts import known_methods, method_facts
from bmip.run_spec import Preset, RunSpec, Settings, settings
from bmip.system.files import write_text
from bmip.system.messages import nearest
from bmip.system.method_name import check_written
from bmip.training.config import TrainConfig

LRS, EPOCHS = (0.0025, 0.01, 0.04, 0.16), (5,)
"""The learning rates and numbers of epochs among which `bmip search` chooses."""

SEARCHED = Path(__file__).with_name("embedded_presets.toml")
"""One entry a method; `bmip search` writes it."""


def read_presets(file: Path) -> dict[str, Preset]:
    """Raises ValueError for a file that is no file of presets."""
    try:
        with file.open("rb") as content:
            entries = tomllib.load(content)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file} cannot be read: {error}") from error
    for name, entry in entries.items():
        if not isinstance(entry, dict) or set(entry) - {"source", "options", "training"} or "source" not in entry:
            raise ValueError(f"{file}: [{name}] must hold a source and may hold options and training, nothing else")
    return {name: Preset(**entry) for name, entry in entries.items()}


def write_presets(file: Path, presets: Mapping[str, Preset]) -> None:
    """Writes presets by method into a file that `read_presets` reads, in a new folder where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = ["# Settings chosen on validation images; `source` says among which, and on what."]
    for name, preset in sorted(presets.items()):
        lines += ["", f"[{name if '+' not in name else _toml(name)}]", f"source = {_toml(preset.source)}"]
        lines += [f"{part} = {_inline(getattr(preset, part))}" for part in ("options", "training")]
    write_text(file, "\n".join(lines) + "\n")


@cache
def _searched() -> dict[str, Preset]:
    return read_presets(SEARCHED)


def presets(method: str) -> dict[str, Preset]:
    """All presets of a method by name, `embedded` where there is one."""
    facts = method_facts(method)
    found = dict(facts.presets)
    if searched := _searched().get(facts.name):
        found[EMBEDDED] = searched
    return found


def choose_preset(method: str, name: str | None, backbone: str, made_for: str = "") -> tuple[str, Preset]:
    """The named one; without a name the first that the method has of these: `embedded` for the embedded backbone, the
    one called `made_for`, `default`.

    A name that ends in .toml is a file of `write_presets`. Raises ValueError for an unknown name, with the nearest
    right one, and for a file that says nothing about the method.
    """
    known = presets(method)
    if name is not None and name.endswith(".toml"):
        entries, own = read_presets(Path(name)), method_facts(method).name
        if own not in entries:
            raise ValueError(f"{name} has no settings for the method {method!r}: it has {', '.join(entries)}")
        return name, entries[own]
    if name is None:
        wanted = [EMBEDDED] if backbone == EMBEDDED else []
        name = next((one for one in [*wanted, made_for] if one in known), "default")
    if name not in known:
        raise ValueError(f"the method {method!r} has no preset {name!r}: {nearest(name, known, 'it has')}")
    return name, known[name]


def preset_of(run: RunSpec) -> Preset:
    """The preset of a run that a file tells of; no code is run for it that was not installed (`check_written`).

    Raises ValueError for a method or a preset that is not known here, and OSError for a file that cannot be read.
    """
    check_written(run.method, [facts.name for facts in known_methods()])
    return choose_preset(run.method, run.preset, backbone="")[1]


def departures(run: RunSpec) -> dict[str, Any]:
    """Those of the run's options and training settings that are not as its preset has them or leaves them.

    Where there is no such preset, as when its file has gone, those that are not the defaults.
    """
    options, training = dict(run.options), dict(run.training)
    defaults = {option.name: option.default for option in method_facts(run.method).options}
    try:
        chosen = choose_preset(run.method, run.preset, backbone="")[1].on(run.data)
        own = {**defaults, **chosen.options}, asdict(TrainConfig(**chosen.training))
    except (ValueError, TypeError, OSError):
        own = defaults, asdict(TrainConfig())
    pairs = zip((options, training), own, strict=True)
    return {name: value for said, known in pairs for name, value in said.items() if known[name] != value}


def for_any_data(run: RunSpec) -> RunSpec:
    """The run with what its preset has for most data sets in place of what it has for this one alone.

    It is the run itself where the preset has nothing of the kind, and where it is not known here.
    """
    if not run.data or run.preset.endswith(".toml"):  # a file has no settings by data set
        return run
    try:
        preset = preset_of(run)
    except ValueError:
        return run
    own = preset.by_data.get(run.data)
    if own is None:
        return run
    return replace(
        run,
        options=_put_back(run.options, own.options, preset.options),
        training=_put_back(run.training, own.training, preset.training),
    )


def _put_back(said: Settings, own: Mapping[str, Any], general: Mapping[str, Any]) -> Settings:
    found = dict(said)
    for name, value in own.items():
        if found.get(name) == value:
            found.pop(name)
            if name in general:
                found[name] = general[name]
    return settings(found)


def _inline(values: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{name} = {_toml(value)}" for name, value in values.items())
    return f"{{ {inside} }}" if inside else "{}"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
