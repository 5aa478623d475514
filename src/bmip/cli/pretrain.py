"""`bmip pretrain`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options
from bmip.cli.command import Command
from bmip.cli.console import err
from bmip.cli.options import with_fields
from bmip.embedded.pretrain.config import PretrainConfig

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip pretrain --out runs/pretrain")
@with_fields(PretrainConfig, into="settings", panel="Training", make=PretrainConfig)
def pretrain(
    out: Annotated[Path, typer.Option(help="Folder of the run.", metavar="DIR")] = Path("runs/pretrain"),
    debug: common_options.Debug = False,
    settings: PretrainConfig = PretrainConfig(),  # noqa: B008
) -> None:
    """Train the small CLIP that comes with bmip anew, on scenes of drawn pictures. Goes on where it was stopped."""
    from bmip.embedded.pretrain.loop import pretrain as run
    from bmip.training.progress import progress_bars

    with progress_bars(err()) as bars:
        task = bars.add_task("pre-training", total=settings.steps, text="")

        def advance(step: int, losses: Mapping[str, float]) -> None:
            text = f"loss {losses['contrast']:.2f}, found {100 * losses['found']:.0f} %"
            bars.update(task, completed=step, text=text)

        folder = run(settings, out, progress=advance)
    print(folder)
