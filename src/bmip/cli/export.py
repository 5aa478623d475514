"""`bmip export RUN`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options
from bmip.cli.command import Command
from bmip.cli.console import note
from bmip.system.messages import nearest

app = typer.Typer(add_completion=False)
FORMATS = ("dassl",)


@app.command(cls=Command, epilog="Example: bmip export runs/maple --to dassl --out maple")
def export(
    run: common_options.Run,
    to: Annotated[
        str,
        typer.Option(
            help="dassl: a checkpoint that the released code of the method loads.",
            metavar="|".join(FORMATS),
            autocompletion=lambda incomplete: [name for name in FORMATS if name.startswith(incomplete)],
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files.", file_okay=False, metavar="DIR")],
    backbone: common_options.OwnBackbone = None,
    debug: common_options.Debug = False,
) -> None:
    """Write trained prompts as another program reads them."""
    if to not in FORMATS:
        raise ValueError(f"--to is {to!r}: {nearest(to, FORMATS)}")

    from bmip.cli.load_run import load_run
    from bmip.interchange.exporting import export_checkpoint
    from bmip.training.hub import located

    file = export_checkpoint(load_run(located(run), backbone, "cpu"), out)
    note(f"written: {file}")
