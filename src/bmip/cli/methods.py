"""`bmip methods [NAME]`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from bmip.cli.console import add, out, table
from bmip.cli.options import documented_fields
from bmip.experiments.parameter_counts import trainable_parameters
from bmip.experiments.presets import presets
from bmip.methods import combination_names, load_method, method_names

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: bmip methods bmip")
def methods(
    name: Annotated[str | None, typer.Argument(help="One of them; a dotted path names one from outside.")] = None,
) -> None:
    """List the methods, or the options and presets of one."""
    if name is None:
        out().print(_list())
    else:
        for part in _one(name):
            out().print(part)


def _list() -> Table:
    listed = table("method", "what it is", "presets")
    for name in (*method_names(), *combination_names()):
        add(listed, name.replace("_", "-"), load_method(name).summary, ", ".join(presets(name)))
    listed.caption = f"--with adds what goes with any prompts: {', '.join(_bringing())}"
    return listed


def _bringing() -> list[str]:
    return [name for name in method_names() if load_method(name).extras is not None]


def _one(name: str) -> list[Table | str]:
    options = table("option", "type", "default", "meaning", title=f"{name}: options, given as --set option=value")
    for field in documented_fields(load_method(name).Config):
        kind = " | ".join(field.choices) or field.type.__name__
        add(options, field.name, kind, str(field.default), field.doc)
    named = table(
        "preset", "options", "training", "trained values", "source", title=f"{name}: presets, given as --preset NAME"
    )
    for preset, value in presets(name).items():
        count = f"{trainable_parameters(name, value.options):,}"
        add(named, preset, _pairs(value.options), _pairs(value.training), count, value.source)
    named.caption = "Trained values are those on CLIP's ViT-B/16."
    return [load_method(name).summary, options, named]


def _pairs(values) -> str:
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in values.items()) or "–"
