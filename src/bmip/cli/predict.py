"""`bmip predict RUN IMAGES...`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from bmip.cli import common_options, given_images
from bmip.cli.arguments import names_asked
from bmip.cli.command import Command
from bmip.cli.remarks import remark_on_drawings, remark_on_one_name, remark_on_template, remark_on_threshold
from bmip.system.messages import nearest

app = typer.Typer(add_completion=False)
FORMATS = ("table", "jsonl", "csv")
CALIBRATED = "calibrated"


@app.command(
    cls=Command, epilog="Example: bmip predict runs/pets photo.jpg holiday/ --classes 'a corgi,a tabby cat,a hamster'"
)
@common_options.read_options(only=["template"], make=dict)
def predict(
    run: common_options.Run,
    images: given_images.Places,
    classes: common_options.Names = None,
    classes_file: common_options.NamesFile = None,
    top: Annotated[int, typer.Option(min=1, help="How many names to show for each image.")] = 3,
    format: Annotated[
        str,
        typer.Option(
            help="A table, JSON lines, or CSV with a line for each image.",
            metavar="|".join(FORMATS),
            autocompletion=lambda incomplete: [name for name in FORMATS if name.startswith(incomplete)],
        ),
    ] = "table",
    unknown: Annotated[
        str | None,
        typer.Option(
            help="Mark images that are none of the classes: those whose best class has a probability below this, or, "
            "with `calibrated`, below the threshold that `bmip calibrate` has chosen.",
            metavar=f"THRESHOLD|{CALIBRATED}",
            show_default=False,
        ),
    ] = None,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: dict[str, Any] = {},
) -> None:
    """Classify images among any class names, also names that training has never seen.

    Images are read as they are needed, so there may be any number.
    A name without an image stops the command before any work.
    Images that cannot be read, and files of a list that are not there, are listed at the end, and the exit status is
    then 1.
    """
    asked = names_asked(classes, classes_file)
    if format not in FORMATS:
        raise ValueError(f"--format is {format!r}: {nearest(format, FORMATS)}")
    probability = _probability(unknown)

    from bmip.cli.load_run import load_run
    from bmip.cli.predictions import write
    from bmip.evaluation.calibration_files import read_calibration
    from bmip.evaluation.predict import classes_of, classify
    from bmip.evaluation.unknown import Threshold
    from bmip.training.hub import located

    common_options.use_threads(threads)
    files = given_images.image_files(images)
    threshold, chosen_for = None if probability is None else Threshold(probability), None
    if unknown == CALIBRATED:
        calibration, chosen_for = read_calibration(located(run))
        threshold = calibration.threshold
    model = load_run(run, backbone, device)
    template = read.get("template", model.classes.template)
    remark_on_drawings(model.described().spec.backbone, images)
    remark_on_template(model, model.described().spec.method, read.get("template", ""))
    names = replace(classes_of(model, asked), template=template)
    remark_on_one_name(names)
    if chosen_for is not None:
        remark_on_threshold(chosen_for, names)
    unread: list[str] = []
    found = classify(model, files, names, top=top, unread=unread.append)
    write(found, format, top=min(top, len(names)), threshold=threshold)
    given_images.report_unread(unread)


def _probability(unknown: str | None) -> float | None:
    """The threshold that was typed; None for `calibrated` and where nothing was."""
    if unknown is None or unknown == CALIBRATED:
        return None
    try:
        found = float(unknown)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise ValueError(f"--unknown is {unknown!r}: give a probability from 0 to 1, or {CALIBRATED}")
    return found
