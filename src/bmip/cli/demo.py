"""`bmip demo`: BMIP beside zero-shot and MaPLe on drawings of animals and of food."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.cli.asked_methods import asked_methods, specs
from bmip.cli.command import Command
from bmip.cli.console import note, out
from bmip.clip.loading.backbones import EMBEDDED, STANDARD
from bmip.data.names import check_data

DATA = ("animals", "food")
METHODS = ("zero-shot", "maple", "bmip")
NEXT = f"""
Now your own images, in one folder for each class, such as pictures/cat and pictures/dog:

  bmip train --data pictures --out runs/pictures
  bmip eval runs/pictures
  bmip predict runs/pictures new.jpg --classes "cat,dog,horse"

The first line downloads the published {STANDARD} once, about 600 MB. With --backbone {EMBEDDED} it needs no download,
but a CLIP that knows drawings alone."""

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip demo")
@common_options.training_options
def demo(
    out_: Annotated[Path, typer.Option("--out", help="Folder for everything it makes.", metavar="DIR")] = Path(
        "runs/demo"
    ),
    data: Annotated[list[str], typer.Option(help="The data sets (`bmip data list`).")] = list(DATA),
    shots: common_options.Shots = 16,
    backbone: common_options.Backbone = None,
    set_: common_options.Set = None,
    device: common_options.Device = "auto",
    workers: Annotated[int, typer.Option(min=1, help="Processes that train at the same time.")] = 2,
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    training: dict[str, Any] = {},
) -> None:
    """Train BMIP and MaPLe on half of the classes, and compare them with zero-shot on both halves.

    Prints the table and what BMIP says of a few images, draws a picture of more, and writes the page of a report.
    A second call does nothing twice.
    """
    check_data(*data)
    asked = asked_methods(METHODS, pairs=set_, training=training)

    from bmip.cli.demonstration import run_demo
    from bmip.cli.progress import watching
    from bmip.cli.tables import predictions_table
    from bmip.experiments.executors.pool import Pool
    from bmip.report import as_rich, tables
    from bmip.report.page.page import write_page
    from bmip.report.source import read_source

    common_options.use_threads(threads)
    note(f"Training images per base class: {shots}; novel classes are never seen. Minutes on two cores.")
    methods = specs(asked, shots=shots, backbone=backbone, data=data)
    with watching() as listener:
        found = run_demo(
            out_,
            methods,
            device=device,
            data=data,
            listener=listener,
            executor=Pool(workers, devices=[device], threads=threads),
        )
    for table in tables(found.rows):
        out().print(as_rich(table))
    out().print(predictions_table(found.asked, "BMIP on images of classes it was not trained on, among all names"))
    out().print(f"Picture:    {found.picture}", soft_wrap=True, markup=False)
    page = write_page(read_source([out_ / "results.jsonl"]), out_ / "page")
    out().print(f"Page:       {page}", soft_wrap=True, markup=False)
    for run in found.runs:
        out().print(f"Run folder: {run}", soft_wrap=True, markup=False)
    out().print(NEXT, soft_wrap=True, markup=False, highlight=False)
