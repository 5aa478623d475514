"""`bmip run PROTOCOL`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import base_asked
from bmip.cli.asked_methods import asked_methods, specs
from bmip.cli.command import Command
from bmip.cli.console import err, note, out
from bmip.cli.remarks import remark_on_drawings, remark_on_template
from bmip.data.names import check_data, data_name, dataset_names
from bmip.data.read_config import ReadConfig
from bmip.experiments.method_facts import method_facts
from bmip.experiments.registry import protocol as find_protocol
from bmip.experiments.registry import protocol_names
from bmip.experiments.trial import Trial
from bmip.system.messages import counted

app = typer.Typer(add_completion=False)


@app.command(
    cls=Command, epilog="Example: bmip run base-to-novel --method zero-shot maple bmip --data digits --seeds 1 2 3"
)
@common_options.training_options
@common_options.read_options()
def run(
    protocol: Annotated[
        str, typer.Argument(help=f"One of {', '.join(protocol_names())}.", autocompletion=completion.protocols)
    ],
    method: Annotated[
        list[str],
        typer.Option(
            help="One or more (`bmip methods`); bmip:released takes a preset of that method.",
            autocompletion=completion.methods,
        ),
    ],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="One or more data sets (`bmip data list`) or folders of images to train on; otherwise embedded ones.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            help="For cross-dataset and domain: what is evaluated beside the data set of training; otherwise what "
            "is known for `things` and `imagenet`.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    seeds: Annotated[
        list[int], typer.Option(help="One or more; each draws the shots and, without --init-seeds, the prompts too.")
    ] = [1, 2, 3],
    init_seeds: Annotated[
        list[int] | None,
        typer.Option(help="Every one of these with every one of --seeds, to tell both sources of chance apart."),
    ] = None,
    shots: Annotated[
        list[int] | None,
        typer.Option(
            min=0,
            help="One or more numbers of training images per class, 0 for all; otherwise 1 2 4 8 16 for few-shot and "
            "16 for the other protocols.",
            rich_help_panel=common_options.DATA,
            show_default=False,
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="Which classes are base: the share of them that come first, or a file that lists their names; "
            "otherwise the first half.",
            rich_help_panel=common_options.DATA,
            show_default=False,
        ),
    ] = None,
    backbone: common_options.Backbone = None,
    preset: common_options.Preset = None,
    set_: common_options.Set = None,
    with_: common_options.With = None,
    results: Annotated[
        Path | None,
        typer.Option(help="File of rows; otherwise runs/PROTOCOL/results.jsonl.", dir_okay=False, metavar="FILE"),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder for the runs.", file_okay=False, metavar="DIR")] = Path("runs"),
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: ReadConfig = ReadConfig(),
    training: dict[str, Any] = {},
) -> None:
    """Run every method on every data set with every seed, and print the table of all seeds that were ever run.

    What is done is skipped, what was interrupted goes on: the same command may be given again.
    """
    asked = asked_methods(method, with_, preset, set_, training)
    classes = base_asked(base)
    check_data(*(data or ()), *(targets or ()))
    found = find_protocol(protocol)

    from bmip.cli.progress import carried_out
    from bmip.experiments.resources import Resources
    from bmip.experiments.results import Results, with_all_seeds
    from bmip.methods import build_model
    from bmip.report import as_rich, tables

    common_options.use_threads(threads)
    trained_on = [data_name(name) for name in data or found.data]
    places = [*trained_on, *map(data_name, targets or ())]
    own = [name for name in places if name not in dataset_names()]
    if own and "zero_shot" not in {method_facts(one.name).name for one in asked}:
        asked = [*asked_methods(["zero-shot"], training=training), *asked]
        note(f"zero-shot is added to the methods: it shows what the CLIP does on {', '.join(own)} without training")
    common = {"backbone": backbone, "data": places, "read": read, "base": classes, "made_for": found.preset}
    named = specs(asked, trained_on, **common)
    remark_on_drawings(named[0].backbone, places)
    trials: list[Trial] = []
    for name in trained_on:
        own_specs = [one.spec(trained_on=name, **common) for one in asked]
        methods = [replace(one, shots=count) for count in shots or found.shots for one in own_specs]
        trials += found.trials([name], methods, seeds, init_seeds=init_seeds, targets=targets)
    trials = list(dict.fromkeys(trials))
    resources = Resources(device=device)
    store = Results(results or runs / found.name / "results.jsonl")
    if read.template:
        for trial in {trial.run.method: trial for trial in trials}.values():
            known, clip = resources.parts(trial).train.classes, resources.clip_for(trial.run)
            model = build_model(trial.run.method, dict(trial.run.options), clip, known, seed=0)
            remark_on_template(model, trial.run.method, read.template)
    note(f"{counted(len(trials), 'trial')}; rows go to {store.path}")
    rows, failures = carried_out(trials, store, runs=runs, resources=resources)
    all_rows = with_all_seeds(rows, store.rows()) if rows else []
    if more := len(all_rows) - len(rows):
        note(
            f"{more} runs with other seeds that are stored there are in the table too: all that were made are reported"
        )
    for table in tables(all_rows):
        out().print(as_rich(table))
    for failure in failures:
        err().print(f"Failed: {failure}", markup=False, soft_wrap=True)
    if failures:
        raise typer.Exit(1)
