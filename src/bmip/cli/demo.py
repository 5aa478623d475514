"""`bmip demo`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import asking
from bmip.cli.choosing import methods_asked
from bmip.cli.printing import note, out
from bmip.cli.showing import predictions_table
from bmip.cli.watching import watching
from bmip.demo import DATA, METHODS, run_demo
from bmip.report import as_rich, tables

app = typer.Typer(add_completion=False)
SPREAD = ("--data",)


@app.command(epilog="Example: bmip demo")
@asking.training_options
def demo(
    out_: Annotated[Path, typer.Option("--out", help="Folder for everything it makes.")] = Path("runs/demo"),
    data: Annotated[list[str], typer.Option(help="The data sets (`bmip data list`).")] = list(DATA),
    shots: asking.Shots = 16,
    backbone: asking.Backbone = "embedded",
    set_: asking.Set = None,
    device: asking.Device = "auto",
    threads: asking.Threads = None,
    debug: asking.Debug = False,
    training: dict[str, Any] = {},
) -> None:
    """Train BMIP with 16 images per class beside zero-shot and MaPLe, on classes that are kept and on new ones.

    Prints the table, names a few single images, and draws a picture of what it says. A second call does nothing twice.
    """
    asking.use_threads(threads)
    note(f"Trained on {shots} images of each base class; novel classes are never seen. Minutes on two cores.")
    methods = methods_asked(list(METHODS), None, set_ or [], training=training, shots=shots, backbone=backbone)
    with watching() as watch:
        found = run_demo(out_, methods, device=device, data=data, watch=watch)
    for table in tables(found.rows):
        out().print(as_rich(table))
    out().print(predictions_table(found.asked, "BMIP on images of classes it was not trained on, among all names"))
    out().print(f"Picture:    {found.picture}", soft_wrap=True, markup=False)
    for run in found.runs:
        out().print(f"Run folder: {run}", soft_wrap=True, markup=False)
    note(f"Ask it about other names: bmip predict {found.runs[0]} IMAGES... --classes 'a cat,a dog'")
