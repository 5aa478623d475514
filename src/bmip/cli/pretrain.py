"""`bmip pretrain`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.cli.console import err
from bmip.cli.options import with_fields
from bmip.embedded.pretrain import PretrainConfig
from bmip.embedded.pretrain import pretrain as run

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: bmip pretrain --out runs/pretrain")
@with_fields(PretrainConfig, into="settings", panel="Training")
def pretrain(
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/pretrain"),
    debug: common_options.Debug = False,
    settings: dict[str, Any] = {},
) -> None:
    """Train the small CLIP that comes with bmip anew, on its rendered world. Goes on where it was stopped."""
    folder = run(PretrainConfig(**settings), out, console=err())
    print(folder)
