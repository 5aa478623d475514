"""`bmip methods [NAME]`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from bmip.cli import completion
from bmip.cli.command import Command
from bmip.cli.console import add, out, table
from bmip.experiments.method_facts import MethodFacts, known_methods, method_facts
from bmip.experiments.presets import presets
from bmip.run_spec import Preset
from bmip.system.method_name import asked_name

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip methods bmip")
def methods(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One of them, or the module or file of one from outside.",
            autocompletion=completion.methods,
            show_default=False,
        ),
    ] = None,
) -> None:
    """List the methods, or the options and presets of one."""
    if name is None:
        out().print(_list())
    else:
        for part in _one(method_facts(name)):
            out().print(part)


def _list() -> Table:
    listed = table("method", "what it is", "presets")
    for facts in known_methods():
        add(listed, asked_name(facts.name), facts.summary, ", ".join(presets(facts.name)))
    adding = ", ".join(facts.name for facts in known_methods() if facts.adds)
    listed.caption = f"--with adds what goes with any prompts: {adding}"
    return listed


def _one(facts: MethodFacts) -> list[Table | str]:
    name = facts.name
    options = table("option", "type", "default", "meaning", title=f"{name}: options, given as --set option=value")
    for option in facts.options:
        kind = " | ".join(option.choices) or option.type.__name__
        add(options, option.name, kind, str(option.default), option.doc)
    title = f"{name}: presets, given as --preset NAME"
    named = table("preset", "options", "training", "trainable parameters", "source", title=title)
    for preset, value in presets(name).items():
        count = f"{_trainable(facts, preset, value):,}"
        add(named, preset, _pairs(value.options), _pairs(value.training), count, value.source)
    named.caption = "Trainable parameters are those on CLIP's ViT-B/16."
    found: list[Table | str] = [facts.summary, options, named]
    tuned = [(preset, value.by_data) for preset, value in presets(name).items() if value.by_data]
    if tuned:
        title = f"{name}: what a preset has for one data set alone"
        own = table("preset", "data set", "options", "training", "trainable parameters", title=title)
        for preset, by_data in tuned:
            for data, value in by_data.items():
                count = facts.trainable.get(f"{preset} on {data}", facts.trainable.get(preset))
                told = "–" if count is None else f"{count:,}"
                add(own, preset, data, _pairs(value.options), _pairs(value.training), told)
        own.caption = "It is taken where the prompts are trained on this data set, and tables mark such results."
        found.append(own)
    return found


def _trainable(facts: MethodFacts, name: str, preset: Preset) -> int:
    if name in facts.trainable:
        return facts.trainable[name]
    from bmip.experiments.parameter_counts import trainable_parameters  # builds the model of a method from outside

    return trainable_parameters(facts.name, preset.options)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in values.items()) or "–"
