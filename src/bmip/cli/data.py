"""`bmip data list`, `bmip data check`, `bmip data prepare`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from bmip.cli import common_options
from bmip.cli.console import add, err, note, out, table
from bmip.data.dataset import DataError, Dataset, split_hash
from bmip.data.inspect import Findings, counts, inspect, inspect_public
from bmip.data.names import dataset_names
from bmip.data.public.prepare import Fetching, plan, to_do
from bmip.data.public.prepare import prepare as get
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import sample_few_shot
from bmip.data.shots import shots_hash, write_shots
from bmip.data.sources.digits import NAMES, TEMPLATE
from bmip.embedded.world import load_world, world_names
from bmip.system.messages import nearest

app = typer.Typer(add_completion=False, help="The data sets.")
SPREAD = ("--seeds",)
FAULTY = 1
MANY = 50  # classes; of more only the ends of the range are shown

Name = Annotated[str, typer.Argument(help="A data set (`bmip data list`) or a folder of images.", metavar="NAME")]


@app.callback()
def data() -> None:
    """The data sets."""


@app.command("list", epilog="Example: bmip data list")
def list_() -> None:
    """List the data sets that --data takes by name; it takes folders of images as well."""
    shown = table("data set", "classes", "template", "what it shows")
    for name in dataset_names():
        if name in PUBLIC:
            known = PUBLIC[name]
            add(shown, name, str(known.classes), known.template, f"{known.title}, in {known.folder}/ below --root")
        elif name in world_names():
            world = load_world(name)
            add(shown, name, str(len(world.class_names)), world.template, world.about)
        else:
            add(shown, name, str(len(NAMES)), TEMPLATE, "handwritten digits of people (scikit-learn), 8 x 8 pixels")
    out().print(shown)


@app.command("check", epilog="Example: bmip data check dtd --root data/ --shots 16 --seeds 1 2 3")
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
    found = inspect(name, read)
    draws = _draws(found.dataset, shots, seeds, write_to) if found.dataset is not None else {}
    if as_json:
        print(json.dumps(_as_json(name, found, draws), indent=2, ensure_ascii=False))
    else:
        _show(name, found, draws)
    if found.faults:
        raise typer.Exit(FAULTY)


@app.command("prepare", epilog="Example: bmip data prepare dtd --root data/")
def prepare(
    name: Annotated[str, typer.Argument(help="A public data set (`bmip data list`).", metavar="NAME")],
    root: Annotated[Path, typer.Option(help="The folder that holds the public data sets.", metavar="DIR")],
    plan_only: Annotated[bool, typer.Option("--plan", help="Say what would be done, and do nothing.")] = False,
    debug: common_options.Debug = False,
) -> None:
    """Fetch a public data set, put it in place and check it; say what only a person can get.

    What was interrupted goes on when the same command is given again. The exit status is 1 while something is missing.
    """
    if name not in PUBLIC:
        raise ValueError(f"there is no public data set {name!r}: {nearest(name, PUBLIC)}")
    for sentence in plan(name, root):
        _line(sentence)
    if plan_only:
        return
    with _transfers() as fetching:
        get(name, root, fetching, note=note)
    known = PUBLIC[name]
    faults = to_do(name, root)
    if (root / known.folder / known.images).is_dir():
        found = inspect_public(name, ReadConfig(root=str(root)), decode=False)
        for text in (*found.faults, *found.remarks):
            _line(text)
        faults += found.faults
    if faults:
        raise typer.Exit(FAULTY)
    _line(f"{name} is in place; `bmip data check {name} --root {root}` reads every image")


@contextmanager
def _transfers() -> Iterator[Fetching]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = err()
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:

        def fetching(name: str):
            note(f"fetching {name}")
            task = bars.add_task(name, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        yield fetching


def _draws(dataset: Dataset, shots: int, seeds: list[int], write_to: Path | None) -> dict[int, str]:
    """The hash of the draw of each seed."""
    hashes = {}
    for seed in seeds if shots and len(dataset.train) else []:
        try:
            drawn = sample_few_shot(dataset, shots, seed)
        except DataError:  # of a stored draw; the inspection has named it
            continue
        hashes[seed] = shots_hash(drawn)
        if write_to is not None:
            write_shots(drawn, write_to / f"{dataset.name}-shot_{shots}-seed_{seed}.jsonl")
    return hashes


def _as_json(name: str, found: Findings, draws: dict[int, str]) -> dict[str, Any]:
    dataset = found.dataset
    return {
        "data": name,
        "split_hash": None if dataset is None else split_hash(dataset),
        "counts": {} if dataset is None else counts(dataset),
        "shots": {str(seed): value for seed, value in draws.items()},
        "faults": found.faults,
        "remarks": found.remarks,
    }


def _show(name: str, found: Findings, draws: dict[int, str]) -> None:
    if found.dataset is not None:
        _show_counts(name, found.dataset)
    for seed, value in draws.items():
        _line(f"shots, seed {seed}  {value}")
    for fault in found.faults:
        _line(f"fault: {fault}")
    for remark in found.remarks:
        note(f"remark: {remark}")
    _line(f"{name}: {len(found.faults) or 'no'} fault{'s' * (len(found.faults) != 1)} found")


def _line(text: str) -> None:
    out().print(text, soft_wrap=True, markup=False)


def _show_counts(name: str, dataset: Dataset) -> None:
    by_part = counts(dataset)
    shown = table("class", *by_part, title=f"{name}: images of each class and split")
    for column in shown.columns[1:]:
        column.justify = "right"
    if len(dataset.classes) <= MANY:
        for label, row in enumerate(zip(*(one.items() for one in by_part.values()), strict=True)):
            add(shown, f"{label} {row[0][0]}", *(f"{count:,}" for _, count in row))
    else:
        for word, end in (("fewest", min), ("most", max)):
            add(
                shown,
                f"({word} in one of {len(dataset.classes)})",
                *(f"{end(one.values()):,}" for one in by_part.values()),
            )
    shown.add_section()
    add(shown, "all", *(f"{sum(one.values()):,}" for one in by_part.values()))
    out().print(shown)
    _line(f"split  {split_hash(dataset)}")
