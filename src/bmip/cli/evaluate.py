"""`bmip eval RUN`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bmip.cli import asking
from bmip.cli.choosing import HALVES, among, of_classes
from bmip.cli.printing import note, out
from bmip.cli.reading import reading_options
from bmip.cli.showing import accuracy_table
from bmip.cli.trained import OwnBackbone, Run, asked_of, listed, load_run
from bmip.data.catalogue import load_dataset
from bmip.evaluation import evaluate as judge

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
    template: asking.Template = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    split_seed: asking.SplitSeed = 1,
    skip_bad_images: asking.SkipBad = False,
    backbone: OwnBackbone = None,
    device: asking.Device = "auto",
    threads: asking.Threads = None,
    debug: asking.Debug = False,
    reading: dict[str, Any] = {},
) -> None:
    """Judge a trained run on the test images of a data set, whichever classes it was trained on."""
    asking.use_threads(threads)
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
