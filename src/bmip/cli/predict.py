"""`bmip predict RUN IMAGES...`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.cli.arguments import names_asked
from bmip.cli.command import Command
from bmip.cli.console import note, out
from bmip.cli.remarks import remark_on_drawings, remark_on_template

app = typer.Typer(add_completion=False)


@app.command(
    cls=Command, epilog="Example: bmip predict runs/pets photo.jpg holiday/ --classes 'a corgi,a tabby cat,a hamster'"
)
@common_options.read_options(only=["template", "skip_bad_images"], make=dict)
def predict(
    run: common_options.Run,
    images: Annotated[list[str], typer.Argument(help="Files, folders, or patterns such as 'photos/*.jpg'.")],
    classes: common_options.Names = None,
    top: Annotated[int, typer.Option(min=1, help="How many names to show for each image.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: dict[str, Any] = {},
) -> None:
    """Classify images among any class names, also names that training has never seen."""
    asked = names_asked(classes) if classes else None

    from bmip.cli.load_run import load_run
    from bmip.cli.tables import predictions_table
    from bmip.evaluation.predict import classes_of, image_paths
    from bmip.evaluation.predict import predict as classify

    common_options.use_threads(threads)
    paths = _readable(image_paths(images), skip=read.get("skip_bad_images", False))
    model = load_run(run, backbone, device)
    template = read.get("template", model.classes.template)
    remark_on_drawings(model.described().spec.backbone, images)
    remark_on_template(model, model.described().spec.method, read.get("template", ""))
    names = replace(classes_of(model, asked), template=template)
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
