"""`bmip backbones`."""

from __future__ import annotations

import typer

from bmip.cli.command import Command
from bmip.cli.console import add, out, table
from bmip.clip.loading.backbones import backbones as known

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip backbones")
def backbones() -> None:
    """List the CLIP models known by name. --backbone takes a file, a folder or a hub id as well."""
    listed = table("backbone", "what it is", "fetched from")
    for backbone in known():
        add(listed, backbone.name, backbone.note, backbone.hub or "–")
    out().print(listed)
