"""`bmip data list`, `bmip data check`, `bmip data prepare`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options, completion
from bmip.cli.command import Command, Group
from bmip.cli.console import add, line, note, out, table
from bmip.data.embedded_sets import embedded_sets
from bmip.data.names import check_data
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from bmip.system.messages import nearest

app = typer.Typer(add_completion=False, cls=Group, help="List, check and fetch data sets.")
FAULTY = 1

Name = Annotated[
    str,
    typer.Argument(
        help="A data set (`bmip data list`) or a folder of images.",
        metavar="NAME",
        autocompletion=completion.data_sets,
    ),
]


@app.callback()
def data() -> None:
    """List, check and fetch data sets."""


@app.command("list", cls=Command, epilog="Example: bmip data list")
def list_() -> None:
    """List the data sets that --data takes by name; it takes folders of images as well."""
    shown = table("data set", "classes", "template", "what it shows")
    for own in embedded_sets().values():
        add(shown, own.name, str(own.classes), own.template, own.about)
    for name, known in PUBLIC.items():
        add(shown, name, str(known.classes), known.template, f"{known.title}, in {known.folder}/ below --root")
    out().print(shown)


@app.command("check", cls=Command, epilog="Example: bmip data check dtd --root data/ --shots 16 --seeds 1 2 3")
@common_options.read_options(leave_out=["template", "skip_bad_images"])
def check(
    name: Name,
    shots: Annotated[int, typer.Option(min=0, help="Images per class of the few-shot draws; 0 for none.")] = 16,
    seeds: Annotated[list[int], typer.Option(help="Seeds of the few-shot draws.")] = [1, 2, 3],
    write_to: Annotated[
        Path | None, typer.Option("--write-shots", help="Write the draws there as JSON lines.", metavar="DIR")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the counts of all classes.")] = False,
    debug: common_options.Debug = False,
    read: ReadConfig = ReadConfig(),
) -> None:
    """Read a whole data set: count its images, name every fault, and say which images a few-shot draw takes.

    The exit status is 0 for a sound data set, 1 where something is missing, unreadable or not as published, and 2 where
    nothing could be looked at.
    """
    check_data(name)

    from bmip.cli.data_check import as_json as written
    from bmip.cli.data_check import few_shot_draws, show
    from bmip.data.inspect import inspect

    found = inspect(name, read)
    draws = few_shot_draws(found.dataset, shots, seeds, write_to) if found.dataset is not None else {}
    if as_json:
        print(json.dumps(written(name, found, draws), indent=2, ensure_ascii=False))
    else:
        show(name, found, draws)
    if found.faults:
        raise typer.Exit(FAULTY)


@app.command("prepare", cls=Command, epilog="Example: bmip data prepare dtd --root data/")
def prepare(
    name: Annotated[
        str,
        typer.Argument(
            help="A public data set (`bmip data list`).", metavar="NAME", autocompletion=completion.public_data_sets
        ),
    ],
    root: Annotated[Path, typer.Option(help="The folder that holds the public data sets.", metavar="DIR")],
    plan_only: Annotated[bool, typer.Option("--plan", help="Say what would be done, and do nothing.")] = False,
    debug: common_options.Debug = False,
) -> None:
    """Fetch a public data set, put it in place and check it; say what only a person can get.

    What was interrupted goes on when the same command is given again. The exit status is 1 while something is missing.
    """
    if name not in PUBLIC:
        raise ValueError(f"there is no public data set {name!r}: {nearest(name, PUBLIC)}")

    from bmip.cli.transfers import transfers
    from bmip.data.inspect import inspect_public
    from bmip.data.public.downloads import ORIGINS
    from bmip.data.public.prepare import plan, to_do
    from bmip.data.public.prepare import prepare as get

    known, origin = PUBLIC[name], ORIGINS[name]
    for sentence in plan(known, origin, root):
        line(sentence)
    if plan_only:
        return
    with transfers() as fetching:
        get(known, origin, root, fetching, note=note)
    faults = to_do(known, origin, root)
    if (root / known.folder / known.images).is_dir():
        found = inspect_public(name, ReadConfig(root=str(root)), decode=False)
        for text in (*found.faults, *found.remarks):
            line(text)
        faults += found.faults
    if faults:
        raise typer.Exit(FAULTY)
    line(f"{name} is in place; `bmip data check {name} --root {root}` reads every image")
