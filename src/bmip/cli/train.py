"""`bmip train`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import of_classes
from bmip.cli.asked_methods import asked_methods, specs
from bmip.cli.command import Command
from bmip.cli.console import line, note, out
from bmip.cli.remarks import remark_on_drawings, remark_on_template
from bmip.data.names import check_data, data_name
from bmip.data.read_config import ReadConfig
from bmip.system.messages import counted

app = typer.Typer(add_completion=False)


@app.command(cls=Command, epilog="Example: bmip train --data photos/ --shots 16 --out runs/pets")
@common_options.training_options
@common_options.read_options()
def train(
    data: Annotated[
        str,
        typer.Option(
            help="A data set (`bmip data list`), or a folder with one folder of images per class, or a table.",
            autocompletion=completion.data_sets,
        ),
    ],
    method: Annotated[str, typer.Option(help="`bmip methods` lists them.", autocompletion=completion.methods)] = "bmip",
    out_: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the run; otherwise runs/DATA-METHOD.",
            show_default=False,
            file_okay=False,
            metavar="DIR",
        ),
    ] = None,
    classes: Annotated[
        str, typer.Option(help="Train on all classes, or on the base or novel half.", metavar="all|base|novel")
    ] = "all",
    shots: common_options.Shots = 16,
    data_seed: Annotated[
        int, typer.Option(help="Draws shots, order and crops.", rich_help_panel=common_options.DATA)
    ] = 1,
    init_seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Draws the first prompts.", rich_help_panel=common_options.METHOD)
    ] = 1,
    backbone: common_options.Backbone = None,
    preset: common_options.Preset = None,
    set_: common_options.Set = None,
    with_: common_options.With = None,
    device: common_options.Device = "auto",
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: ReadConfig = ReadConfig(),
    training: dict[str, Any] = {},
) -> None:
    """Train prompts on a data set or on your own images, and evaluate them on its test images.

    A run that was interrupted goes on when the same command is given again.
    """
    check_data(data)
    asked = asked_methods([method], with_, preset, set_, training)
    specs(asked, [data_name(data)], backbone=backbone, data=[data])
    plain = asked[0].spec(shots=shots, backbone=backbone, data=[data], read=read, trained_on=data_name(data))
    method = asked[0].name

    from bmip.cli.tables import accuracy_table
    from bmip.clip.loading.load import load_clip
    from bmip.data.load import load_dataset
    from bmip.data.sampling import sample_few_shot
    from bmip.evaluation.evaluate import evaluate
    from bmip.evaluation.verdict import remark as verdict
    from bmip.methods import build_model
    from bmip.system.device import pick_device
    from bmip.training.precision import slow_precision
    from bmip.training.progress import Tick, progress_bar
    from bmip.training.run import train_model

    common_options.use_threads(threads)
    dataset = load_dataset(data, read)
    chosen = of_classes(sample_few_shot(dataset, shots, data_seed), classes)
    for remark in chosen.remarks():
        note(remark)
    spec = replace(plain, data=data_name(data), classes=classes, data_seed=data_seed, init_seed=init_seed)
    folder = out_ or Path("runs") / f"{dataset.name}-{spec.method.replace('_', '-')}"
    note(
        f"{method} on {counted(len(chosen.train), 'image')} of {counted(len(chosen.classes), 'class')}, "
        f"backbone {spec.backbone}"
    )
    remark_on_drawings(spec.backbone, [data])
    clip = load_clip(spec.backbone).to(pick_device(device))
    if slow := slow_precision(spec.precision, clip.device):
        note(slow)
    model = build_model(spec.method, dict(spec.options), clip, chosen.classes, seed=init_seed)
    remark_on_template(model, method, read.template)
    done, ticked = (folder / "predictions.csv").exists(), False
    with progress_bar(f"training {method}") as bar:

        def tell(tick: Tick) -> None:
            nonlocal ticked
            if tick.epoch > 1 and not ticked:
                note(f"the training was interrupted and goes on at epoch {tick.epoch} of {tick.epochs}")
            ticked = True
            bar(tick)

        run = train_model(model, spec, chosen, folder, progress=tell)
    if done:
        note(f"this was done already; the result is read from {folder}")
    out().print(accuracy_table(run.predictions, f"{method} on the test images of {dataset.name}"))
    if model.trainable():
        frozen = evaluate(build_model("zero-shot", {}, clip, chosen.classes, seed=0), chosen.test, chosen.classes)
        line(f"zero-shot {frozen.accuracy:.1f} %: the same CLIP without training, {frozen.classes.template!r}")
        if told := verdict(run.predictions, frozen):
            note(told)
    note(f"the run lies in {folder}; classify images with: bmip predict {folder} IMAGES... --classes NAMES")
