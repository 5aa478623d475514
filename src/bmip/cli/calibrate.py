"""`bmip calibrate RUN --data DATA`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import names_asked
from bmip.cli.command import Command
from bmip.cli.console import line, note
from bmip.cli.remarks import remark_on_template
from bmip.data.names import check_data
from bmip.system.messages import counted, nearest

app = typer.Typer(add_completion=False)
SCORES = ("similarity", "probability")


@app.command(cls=Command, epilog="Example: bmip calibrate runs/pets --data photos/")
@common_options.read_options(make=dict)
def calibrate(
    run: common_options.Run,
    data: Annotated[
        str | None,
        typer.Option(
            help="A data set or folder with validation images; otherwise the one it was trained on. Its classes that "
            "are not asked about serve as unknown ones.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    classes: common_options.Names = None,
    classes_file: common_options.NamesFile = None,
    false_alarms: Annotated[
        float,
        typer.Option(help="The share of images of known classes, in 0..1, that may be taken for unknown.", metavar="X"),
    ] = 0.05,
    score: Annotated[
        str | None,
        typer.Option(
            help="What is compared with the threshold. Otherwise the one that tells the unknown classes of the data "
            "apart better, and similarity where there are none.",
            metavar="|".join(SCORES),
            show_default=False,
        ),
    ] = None,
    backbone: common_options.OwnBackbone = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: dict[str, Any] = {},
) -> None:
    """Choose on validation images below which score an image is none of the classes.

    The threshold is kept beside the prompts, and `bmip predict --unknown calibrated` uses it.
    """
    asked = names_asked(classes, classes_file)
    if data is not None:
        check_data(data)
    if not 0 < false_alarms < 1:
        raise ValueError(f"--false-alarms is {false_alarms:g}: give a share above 0 and below 1")
    if score is not None and score not in SCORES:
        raise ValueError(f"--score is {score!r}: {nearest(score, SCORES)}")

    from bmip.cli.load_run import data_of, load_run, read_of
    from bmip.data.load import load_dataset
    from bmip.evaluation.calibration_files import write_calibration
    from bmip.evaluation.predict import classes_of
    from bmip.evaluation.unknown import MEANING, better_score, score_named, validation_scores
    from bmip.evaluation.unknown import calibrate as choose
    from bmip.training.hub import is_repository

    if is_repository(run):
        raise ValueError(
            f"{run} is on the hub, and the threshold is written beside the prompts: copy them first, with "
            f"`hf download {run} --local-dir {run.name}`, and name the copy"
        )
    common_options.use_threads(threads)
    model = load_run(run, backbone, device)
    description = model.described()
    remark_on_template(model, description.spec.method, read.get("template", ""))
    name = data or data_of(run, description)
    dataset = load_dataset(name, read_of(description, name, read))
    for remark in dataset.remarks():
        note(remark)
    names = replace(classes_of(model, asked), template=read.get("template", model.classes.template))
    known, other = validation_scores(model, dataset, names)
    best = better_score(known, other) if len(other["similarity"]) else "similarity"
    chosen = score_named(score) if score else best
    found = choose(known[chosen], other[chosen], chosen, false_alarms)
    file = write_calibration(run, found, dataset.name, names)
    line(f"score: {chosen}, {MEANING[chosen]}")
    line(f"threshold: {found.threshold.value:.4f}; an image with a lower score is unknown")
    line(
        f"expected false alarms: {100 * found.false_alarms:.1f} % of images of the {counted(len(names), 'class')} "
        f"(chosen on {counted(found.images, 'validation image')})"
    )
    if found.found is not None:
        line(f"found: {100 * found.found:.1f} % of {counted(found.others, 'validation image')} of other classes")
    note(f"written to {file}; use it with: bmip predict {run} IMAGES... --unknown calibrated")
