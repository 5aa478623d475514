"""The plan of a study: a TOML file that says what is compared on what. It is read without torch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bmip.data.names import check_data
from bmip.data.read_config import ReadConfig
from bmip.experiments.method_facts import method_facts
from bmip.experiments.registry import protocol_names
from bmip.run_spec import HALF
from bmip.studies.checks import PlanError, a_list, a_table, a_text, check_known, with_variables
from bmip.studies.grid import points
from bmip.system.messages import nearest
from bmip.training.config import train_config


@dataclass(frozen=True, kw_only=True)
class PlannedMethod:
    """A method of a comparison: "bmip" in the plan, "bmip:released", or a table."""

    method: str
    """Its name, such as "bmip+promptsrc"."""

    preset: str = ""
    """One of its presets; empty: the comparison's, where the method has it, or the usual one."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method, which win over those of the preset; of a list each one."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Training settings, which win over those of the preset and of the comparison; of a list each one."""

    label: str = ""
    """What its line in tables is called; empty: its name and the settings that tell it from others."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One [[compare]] of a plan, with what [defaults] says filled in: every method on every data set, and so on."""

    protocols: tuple[str, ...]
    """The protocols (`bmip run --help`)."""

    methods: tuple[PlannedMethod, ...]
    """The methods."""

    data: tuple[str, ...] = ()
    """The data sets to train on; none: those of the protocol."""

    targets: tuple[str, ...] = ()
    """The data sets to evaluate beside each; none: those of the protocol."""

    seeds: tuple[int, ...] = (1, 2, 3)
    """Seeds of the few-shot draw and, without `init_seeds`, of the initial prompts."""

    init_seeds: tuple[int, ...] = ()
    """Every one of these with every one of `seeds`."""

    shots: tuple[int, ...] = ()
    """Numbers of training images per class, 0 for all; none: those of the protocol."""

    backbone: tuple[str, ...] = ()
    """The CLIPs; none: the one that suits the data."""

    precision: tuple[str, ...] = ()
    """The number types in which the towers compute; none: that of the preset."""

    base: float = HALF
    """The share of the classes that are base."""

    preset: str = ""
    """The preset of the methods that have it and name none of their own."""

    training: Mapping[str, Any] = field(default_factory=dict)
    """Training settings of every method; of a list each one."""

    read: ReadConfig = ReadConfig()
    """How data sets are read: `root`, `template` and the other settings of `bmip run` of this kind."""


@dataclass(frozen=True)
class Plan:
    """A study as its file says it."""

    name: str
    """What the study is called."""

    comparisons: tuple[Comparison, ...]
    minutes: float | None = None
    """The longest that one training may take."""

    trackers: tuple[str, ...] = ()
    """Where the numbers are sent as well: "tensorboard", "wandb", "mlflow"."""

    text: str = ""
    """The file."""


TRACKERS = ("tensorboard", "wandb", "mlflow")
_READ = {one.name: one for one in fields(ReadConfig)}
_LISTS = {"protocols": str, "data": str, "targets": str, "backbone": str, "precision": str, "seeds": int,
          "init_seeds": int, "shots": int}  # fmt: skip
_KNOWN = [one.name for one in fields(Comparison) if one.name != "read"] + list(_READ)


def read_plan(file: Path) -> Plan:
    """The plan in a file. Raises PlanError, which names the place, for what is not a plan."""
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlanError(f"{file} is no TOML file: {error}") from error
    except IsADirectoryError as error:
        raise PlanError(f"{file} is a folder: name the file of a plan") from error
    check_known(content, ("study", "defaults", "compare", "limits"), str(file))
    study = a_table(content, "study", str(file))
    check_known(study, ("name", "trackers"), f"{file}, [study]")
    name = study.get("name")
    if not isinstance(name, str) or not name.strip():
        raise PlanError(f'{file}, [study]: give the study a name, such as name = "base to novel on eleven sets"')
    limits = a_table(content, "limits", str(file))
    check_known(limits, ("minutes",), f"{file}, [limits]")
    minutes = limits.get("minutes")
    if minutes is not None and (isinstance(minutes, bool) or not isinstance(minutes, (int, float)) or minutes <= 0):
        raise PlanError(f"{file}, [limits]: minutes is {minutes!r}; it must be a number above 0")
    trackers = a_list(study.get("trackers", []), str, f"{file}, [study]: trackers")
    for one in trackers:
        if one not in TRACKERS:
            raise PlanError(f"{file}, [study]: there is no tracker {one!r}: {nearest(one, TRACKERS)}")
    compared, defaults = content.get("compare"), a_table(content, "defaults", str(file))
    if not isinstance(compared, list) or not compared or not all(isinstance(one, dict) for one in compared):
        raise PlanError(f"{file} compares nothing: give at least one [[compare]] with protocols and methods")
    comparisons = tuple(
        _comparison({**defaults, **one}, f"{file}, [[compare]] number {number}")
        for number, one in enumerate(compared, 1)
    )
    return Plan(name.strip(), comparisons, None if minutes is None else float(minutes), trackers, text)


def _comparison(content: Mapping[str, Any], place: str) -> Comparison:
    check_known(content, _KNOWN, place)
    for needed in ("protocols", "methods"):
        if not content.get(needed):
            raise PlanError(f"{place} lacks {needed}")
    found: dict[str, Any] = {
        name: a_list(content[name], kind, f"{place}: {name}") for name, kind in _LISTS.items() if name in content
    }
    for name, values in found.items():
        if not values:
            raise PlanError(f"{place}: {name} is an empty list: give one at least, or leave it out")
    for one in found["protocols"]:
        if one not in protocol_names():
            raise PlanError(f"{place}: there is no protocol {one!r}: {nearest(one, protocol_names())}")
    base = content.get("base", HALF)
    if isinstance(base, bool) or not isinstance(base, float) or not 0 < base < 1:
        raise PlanError(f"{place}: base is {base!r}; it must be a share between 0 and 1")
    training = a_table(content, "training", place)
    read: dict[str, Any] = {name: content[name] for name in _READ if name in content}
    for name, value in read.items():
        if type(value).__name__ != _READ[name].type:
            raise PlanError(f"{place}: {name} is {value!r}; it must be of type {_READ[name].type}")
    methods = content["methods"] if isinstance(content["methods"], list) else [content["methods"]]
    try:
        check_data(*map(with_variables, (*found.get("data", ()), *found.get("targets", ()))))
        _check_training(training)
        read |= {name: with_variables(value) for name, value in read.items() if isinstance(value, str)}
        for name in ("data", "targets", "backbone"):
            if name in found:
                found[name] = tuple(map(with_variables, found[name]))
        return Comparison(
            **{
                **found,
                "methods": tuple(_method(one) for one in methods),
                "base": base,
                "preset": a_text(content.get("preset", ""), "preset"),
                "training": training,
                "read": ReadConfig(**read),
            }
        )
    except ValueError as error:
        raise PlanError(f"{place}: {error}") from error


def _method(content: Any) -> PlannedMethod:
    if isinstance(content, str):
        name, _, preset = content.partition(":")
        content = {"method": name, "preset": preset}
    if not isinstance(content, dict) or not isinstance(content.get("method"), str):
        raise PlanError(f'a method is {content!r}: give its name, or a table such as {{ method = "bmip" }}')
    check_known(content, [one.name for one in fields(PlannedMethod)], f"the method {content['method']!r}")
    found = PlannedMethod(**content)
    for part in ("preset", "label"):
        a_text(getattr(found, part), part)
    facts = method_facts(found.method)
    for part in ("options", "training"):
        if not isinstance(getattr(found, part), dict):
            raise PlanError(f"the method {found.method!r}: {part} must be a table, such as {{ depth = 12 }}")
    for point in points(found.options):
        facts.check_options(point)
    _check_training(found.training)
    return found


def _check_training(values: Mapping[str, Any]) -> None:
    for point in points(values):
        train_config(point)
