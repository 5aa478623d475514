"""`bmip eval RUN`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.cli.arguments import HALVES, among, names_asked, of_classes
from bmip.cli.command import Command
from bmip.cli.console import note, out
from bmip.cli.remarks import remark_on_drawings, remark_on_template
from bmip.data.names import check_data

app = typer.Typer(add_completion=False)


@app.command("eval", cls=Command, epilog="Example: bmip eval runs/digits-bmip --classes novel")
@common_options.read_options(make=dict)
def evaluate(
    run: common_options.Run,
    data: Annotated[
        str | None, typer.Option(help="A data set or folder; otherwise the one it was trained on.", show_default=False)
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            help="base or novel for one half of the classes, or names to classify among, as for `bmip predict`; "
            "otherwise all.",
            metavar="NAME...",
            show_default=False,
        ),
    ] = None,
    classes_file: common_options.NamesFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: dict[str, Any] = {},
) -> None:
    """Evaluate a trained run on the test images of a data set, whichever classes it was trained on.

    The data are read as in training; options that are given here win.
    """
    which = classes[0] if classes and len(classes) == 1 and classes[0] in HALVES else None
    if which and classes_file is not None:
        raise ValueError(f"--classes {which} and --classes-file name classes twice: leave one of them out")
    names = None if which else names_asked(classes, classes_file)
    if data is not None:
        check_data(data)

    from bmip.cli.load_run import data_of, load_run, read_of
    from bmip.cli.tables import accuracy_table
    from bmip.data.load import load_dataset
    from bmip.evaluation.evaluate import evaluate as evaluate_on

    common_options.use_threads(threads)
    model = load_run(run, backbone, device)
    description = model.described()
    spec = description.spec
    name = data or data_of(run, description)
    remark_on_drawings(spec.backbone, [name])
    remark_on_template(model, spec.method, read.get("template", ""))
    dataset = load_dataset(name, read_of(description, name, read))
    for remark in dataset.remarks():
        note(remark)
    dataset = among(dataset, names) if names else of_classes(dataset, which or "all", spec.base)
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
