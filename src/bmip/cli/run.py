"""`bmip run PROTOCOL`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import asking
from bmip.cli.choosing import methods_asked
from bmip.cli.printing import note, out
from bmip.cli.watching import watching
from bmip.protocols.catalogue import protocol as find_protocol
from bmip.protocols.catalogue import protocols
from bmip.protocols.runner import Materials, run_trials
from bmip.report import as_rich, tables
from bmip.results import Results

app = typer.Typer(add_completion=False)
SPREAD = ("--method", "--data", "--seeds", "--init-seeds")


@app.command(epilog="Example: bmip run base-to-novel --method zero-shot maple bmip --data digits --seeds 1 2 3")
@asking.training_options
def run(
    protocol: Annotated[str, typer.Argument(help=f"One of {', '.join(known.name for known in protocols())}.")],
    method: Annotated[
        list[str], typer.Option(help="One or more (`bmip methods`); bmip:released takes a preset of that method.")
    ],
    data: Annotated[list[str], typer.Option(help="One or more data sets (`bmip data list`) or folders of images.")],
    seeds: Annotated[
        list[int], typer.Option(help="One or more; each draws the shots and, without --init-seeds, the prompts too.")
    ] = [1, 2, 3],
    init_seeds: Annotated[
        list[int] | None,
        typer.Option(help="Every one of these with every one of --seeds, to tell both sources of chance apart."),
    ] = None,
    shots: asking.Shots = 16,
    template: asking.Template = "",
    split_seed: asking.SplitSeed = 1,
    skip_bad_images: asking.SkipBad = False,
    backbone: asking.Backbone = "embedded",
    preset: asking.Preset = None,
    set_: asking.Set = None,
    results: Annotated[Path | None, typer.Option(help="File of rows; otherwise runs/PROTOCOL/results.jsonl.")] = None,
    runs: Annotated[Path, typer.Option(help="Folder for the runs.")] = Path("runs"),
    device: asking.Device = "auto",
    threads: asking.Threads = None,
    debug: asking.Debug = False,
    training: dict[str, Any] = {},
) -> None:
    """Run every method on every data set with every seed, and print the table.

    What is done is skipped, what was interrupted goes on: the same command may be given again.
    """
    asking.use_threads(threads)
    found = find_protocol(protocol)
    methods = methods_asked(
        method, preset, set_ or [], shots=shots, backbone=backbone, template=template, training=training
    )
    materials = Materials(device=device, split_seed=split_seed, skip_bad_images=skip_bad_images)
    for name in data:  # a data set that cannot be read is known before any work
        materials.dataset(name, template)
    trials = list(found.trials(data, methods, seeds, init_seeds=init_seeds))
    store = Results(results or runs / found.name / "results.jsonl")
    note(f"{len(trials)} trials; rows go to {store.path}")
    with watching() as watch:
        rows = run_trials(trials, store, runs=runs, materials=materials, watch=watch)
    for table in tables(rows):
        out().print(as_rich(table))
