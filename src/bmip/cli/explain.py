"""`bmip explain RUN IMAGE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options
from bmip.cli.arguments import names_asked
from bmip.cli.command import Command
from bmip.cli.console import line, note
from bmip.system.messages import counted

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip explain runs/pets photo.jpg --classes 'a corgi,a tabby cat'")
def explain(
    run: common_options.Run,
    image: Annotated[Path, typer.Argument(help="The image.", metavar="IMAGE")],
    classes: Annotated[
        list[str] | None,
        typer.Option(
            help="Two names to tell apart: 'a cat,a dog'. Otherwise the two that are most probable.",
            metavar="NAME...",
            show_default=False,
        ),
    ] = None,
    to_file: Annotated[Path, typer.Option("--out", help="The picture to write.", metavar="FILE")] = Path(
        "explanation.png"
    ),
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
) -> None:
    """Draw which patches of an image the class token and each image prompt look at, before and after training.

    Of prompts from a checkpoint of released code the start is not known, so it is left out.

    The last row shows what tells two class names apart: each patch is covered in turn, and the logits are compared.
    """
    asked = names_asked(classes, None)
    if asked is not None and len(asked) != 2:
        raise ValueError(f"--classes has {counted(len(asked), 'name')}: give two, to see what tells them apart")
    if to_file.suffix != ".png":
        raise ValueError(f"--out {to_file} must end in .png")

    from bmip.cli.load_run import load_run
    from bmip.explaining.explain import explain as explained
    from bmip.report.explanation_picture import draw_explanation

    common_options.use_threads(threads)
    found = explained(load_run(run, backbone, device), image, asked)
    draw_explanation(found, to_file)
    first, second = found.names
    for view in found.views:
        line(f"{view.name}: {first} {100 * view.probability:.1f} %, {second} {100 * (1 - view.probability):.1f} %")
    note(f"the picture lies in {to_file}")
