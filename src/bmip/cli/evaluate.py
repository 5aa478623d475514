"""`bmip eval RUN`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.cli.arguments import HALVES, among, of_classes
from bmip.cli.console import note, out
from bmip.cli.data_options import reading_options
from bmip.cli.load_run import OwnBackbone, Run, asked_of, listed, load_run
from bmip.cli.tables import accuracy_table
from bmip.data.load import load_dataset
from bmip.evaluation.evaluate import evaluate as judge

app = typer.Typer(add_completion=False)


@app.command("eval", epilog="Example: bmip eval runs/digits-bmip --data digits --classes novel")
@reading_options
def evaluate(
    run: Run,
    data: Annotated[
        str | None, typer.Option(help="A data set or folder; otherwise the one it was trained on.", show_default=False)
    ] = None,
    classes: Annotated[
        str,
        typer.Option(help="all, base, novel, or names separated by commas, among which the images are classified."),
    ] = "all",
    template: common_options.Template = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    split_seed: common_options.SplitSeed = 1,
    skip_bad_images: common_options.SkipBad = False,
    backbone: OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    reading: dict[str, Any] = {},
) -> None:
    """Judge a trained run on the test images of a data set, whichever classes it was trained on."""
    common_options.use_threads(threads)
    model = load_run(run, backbone, device)
    name = data or asked_of(run).get("data")
    if name is None:
        raise ValueError(f"{run} does not say which data it was trained on: name some with --data")
    dataset = load_dataset(name, seed=split_seed, skip_bad_images=skip_bad_images, template=template or None, **reading)
    for remark in dataset.notes:
        note(remark)
    dataset = of_classes(dataset, classes) if classes in HALVES else among(dataset, listed(classes))
    found = judge(model, dataset.test, dataset.classes)
    if as_json:
        per_class = [
            {"class": name, "correct": count.correct, "total": count.total}
            for name, count in zip(dataset.classes.names, found.per_class(), strict=True)
        ]
        whole = {"data": name, "correct": found.correct, "total": found.total, "accuracy": found.accuracy}
        print(json.dumps({**whole, "classes": per_class}, indent=2, ensure_ascii=False))
    else:
        out().print(accuracy_table(found, f"{run} on the test images of {dataset.name}"))
