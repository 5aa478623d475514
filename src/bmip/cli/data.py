"""`bmip data list`."""

from __future__ import annotations

import typer

from bmip.cli.printing import add, out, table
from bmip.data.catalogue import dataset_names
from bmip.data.digits import NAMES, TEMPLATE
from bmip.world import load_world, world_names

app = typer.Typer(add_completion=False, help="The data sets.")


@app.callback()
def data() -> None:
    """The data sets."""


@app.command("list", epilog="Example: bmip data list")
def list_() -> None:
    """List the data sets that --data takes by name; it takes folders of images as well."""
    shown = table("data set", "classes", "template", "what it shows")
    for name in dataset_names():
        if name in world_names():
            world = load_world(name)
            add(shown, name, str(len(world.class_names)), world.template, world.about)
        else:
            add(shown, name, str(len(NAMES)), TEMPLATE, "handwritten digits of people (scikit-learn), 8 x 8 pixels")
    out().print(shown)
