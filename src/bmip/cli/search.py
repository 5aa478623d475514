"""`bmip search`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options, completion
from bmip.cli.asked_methods import asked_methods, specs
from bmip.cli.command import Command
from bmip.cli.console import note, out
from bmip.data.names import check_data
from bmip.data.read_config import ReadConfig
from bmip.experiments.default_data import EMBEDDED
from bmip.experiments.presets import EPOCHS, LRS, write_presets
from bmip.system.messages import counted

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip search --method ivlp maple bmip --data animals food clothes")
@common_options.read_options(leave_out=["template"])
def search(
    method: Annotated[
        list[str],
        typer.Option(help="One or more methods that have something to train.", autocompletion=completion.methods),
    ],
    data: Annotated[
        list[str],
        typer.Option(
            help="One or more data sets; settings are chosen on all of them at once.",
            autocompletion=completion.data_sets,
        ),
    ] = list(EMBEDDED),
    seeds: Annotated[list[int], typer.Option(help="One or more.")] = [1],
    lr: Annotated[list[float], typer.Option(help="Learning rates of the grid.")] = list(LRS),
    epochs: Annotated[list[int], typer.Option(help="Numbers of epochs of the grid.")] = list(EPOCHS),
    shots: common_options.Shots = 16,
    backbone: common_options.Backbone = None,
    set_: common_options.Set = None,
    with_: common_options.With = None,
    precision: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.", show_default=False)] = None,
    presets: Annotated[Path, typer.Option(help="File that is written.", metavar="FILE")] = Path(
        "runs/search/presets.toml"
    ),
    runs: Annotated[
        Path, typer.Option(help="Folder for the runs and their results.", file_okay=False, metavar="DIR")
    ] = Path("runs/search"),
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: ReadConfig = ReadConfig(),
) -> None:
    """Give every method the same grid of learning rates and epochs, and keep what is best on validation images.

    The file it writes is used with --preset FILE. No test image is looked at.
    """
    training = {} if precision is None else {"precision": precision}
    check_data(*data)
    asked_for = asked_methods(method, with_, "default", set_, training)

    from bmip.cli.progress import carried_out
    from bmip.experiments.resources import Resources
    from bmip.experiments.results import Results
    from bmip.experiments.search import best_presets, search_trials
    from bmip.report import as_rich, tables

    common_options.use_threads(threads)
    methods = specs(asked_for, shots=shots, backbone=backbone, data=data, read=read)
    trials = list(dict.fromkeys(search_trials(methods, data, seeds, lrs=lr, epochs=epochs)))
    store = Results(runs / "results.jsonl")
    note(f"{counted(len(trials), 'trial')}; rows go to {store.path}")
    resources = Resources(device=device)
    rows, failures = carried_out(trials, store, runs=runs, resources=resources)
    if not rows:
        raise ValueError(f"no setting could be evaluated ({failures[0]}): give smaller learning rates with --lr")
    for failure in failures:
        note(f"cannot be chosen: {failure}")
    for table in tables(rows):
        out().print(as_rich(table))
    write_presets(presets, best_presets(rows))
    out().print(f"Presets: {presets}", soft_wrap=True, markup=False)
