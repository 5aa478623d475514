"""`bmip eval RUN`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from bmip.cli import common_options
from bmip.cli.command import Command
from bmip.cli.console import note, out
from bmip.cli.remarks import remark_on_drawings
from bmip.data.read_config import ReadConfig

app = typer.Typer(add_completion=False)


@app.command("eval", cls=Command, epilog="Example: bmip eval runs/digits-bmip --data digits --classes novel")
@common_options.read_options()
def evaluate(
    run: common_options.Run,
    data: Annotated[
        str | None, typer.Option(help="A data set or folder; otherwise the one it was trained on.", show_default=False)
    ] = None,
    classes: Annotated[
        str,
        typer.Option(help="all, base, novel, or names separated by commas, among which the images are classified."),
    ] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: ReadConfig = ReadConfig(),
) -> None:
    """Evaluate a trained run on the test images of a data set, whichever classes it was trained on."""
    from bmip.cli.arguments import HALVES, among, of_classes
    from bmip.cli.load_run import listed, load_run
    from bmip.cli.tables import accuracy_table
    from bmip.data.load import load_dataset
    from bmip.evaluation.evaluate import evaluate as evaluate_on

    common_options.use_threads(threads)
    model = load_run(run, backbone, device)
    name = data or model.described().spec.data
    if not name:
        raise ValueError(f"{run} does not say which data it was trained on: name some with --data")
    remark_on_drawings(model.described().backbone, [name])
    dataset = load_dataset(name, read)
    for remark in dataset.remarks():
        note(remark)
    dataset = of_classes(dataset, classes) if classes in HALVES else among(dataset, listed(classes))
    found = evaluate_on(model, dataset.test, dataset.classes)
    if as_json:
        per_class = [
            {"class": name, "correct": count.correct, "total": count.total}
            for name, count in zip(dataset.classes.names, found.per_class(), strict=True)
        ]
        whole = {"data": name, "correct": found.correct, "total": found.total, "accuracy": found.accuracy}
        print(json.dumps({**whole, "classes": per_class}, indent=2, ensure_ascii=False))
    else:
        out().print(accuracy_table(found, f"{run} on the test images of {dataset.name}"))
