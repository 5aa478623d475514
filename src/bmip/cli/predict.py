"""`bmip predict RUN IMAGES...`."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from bmip.cli import common_options
from bmip.cli.command import Command
from bmip.cli.console import note, out
from bmip.cli.remarks import remark_on_drawings
from bmip.data.read_config import ReadConfig

app = typer.Typer(add_completion=False)


@app.command(
    cls=Command, epilog="Example: bmip predict runs/pets photo.jpg holiday/ --classes 'a corgi,a tabby cat,a hamster'"
)
@common_options.read_options(only=["template", "skip_bad_images"])
def predict(
    run: common_options.Run,
    images: Annotated[list[str], typer.Argument(help="Files, folders, or patterns such as 'photos/*.jpg'.")],
    classes: Annotated[
        str | None,
        typer.Option(help="Any names, separated by commas; otherwise those it was trained on.", show_default=False),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many names to show for each image.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: ReadConfig = ReadConfig(),
) -> None:
    """Classify images among any class names, also names that training has never seen."""
    from bmip.cli.load_run import listed, load_run
    from bmip.cli.tables import predictions_table
    from bmip.evaluation.predict import classes_of, image_paths
    from bmip.evaluation.predict import predict as classify

    common_options.use_threads(threads)
    paths = _readable(image_paths(images), skip=read.skip_bad_images)
    model = load_run(run, backbone, device)
    remark_on_drawings(model.described().backbone, images)
    names = classes_of(model, None if classes is None else listed(classes))
    if read.template:
        names = replace(names, template=read.template)
    found = classify(model, paths, names, top=top)
    if as_json:
        print(json.dumps([asdict(prediction) for prediction in found], indent=2, ensure_ascii=False))
    else:
        out().print(predictions_table(found))


def _readable(paths: list[Path], *, skip: bool) -> list[Path]:
    if not skip:
        return paths
    from bmip.data.dataset import DataError
    from bmip.data.images import check_image

    reasons = {path: check_image(path) for path in paths}
    for reason in filter(None, reasons.values()):
        note(f"skipped: {reason}")
    readable = [path for path, reason in reasons.items() if reason is None]
    if not readable:
        raise DataError(f"no image of {len(paths)} can be read")
    return readable
