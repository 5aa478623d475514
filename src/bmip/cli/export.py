"""`bmip export RUN --to FORMAT --out DIR`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import among, names_asked
from bmip.cli.command import Command
from bmip.cli.console import line, note
from bmip.data.names import check_data
from bmip.system.messages import counted, nearest

if TYPE_CHECKING:
    from bmip.data.dataset import Dataset
    from bmip.exporting.folder import Export
    from bmip.prompting.model import PromptedCLIP

app = typer.Typer(add_completion=False)
DASSL = "dassl"
TARGETS = {
    "onnx": "an image tower for onnxruntime",
    "torch": "one for torch alone, of torch.export",
    "linear": "no tower but a matrix for a plain CLIP, of methods that leave the image tower alone",
    DASSL: "a checkpoint that the released code of the method loads, without classes",
}
"""Each format, and what it is. But for the last one, the module `bmip.exporting.to_NAME` has its `write`."""


@app.command(cls=Command, epilog="Example: bmip export runs/pets --to onnx --out exported --classes 'a corgi,a cat'")
@common_options.read_options(make=dict)
def export(
    run: common_options.Run,
    folder: Annotated[
        Path,
        typer.Option(
            "--out",
            help="The folder to write: new, empty or with an export of the same prompts; with --to dassl any that does "
            "not have the file.",
            metavar="DIR",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            help="; ".join(f"{name}: {what}" for name, what in TARGETS.items())
            + ". Without it, the classes of the export in DIR are exchanged.",
            metavar="|".join(TARGETS),
            show_default=False,
            autocompletion=lambda incomplete: [name for name in TARGETS if name.startswith(incomplete)],
        ),
    ] = None,
    classes: common_options.Names = None,
    classes_file: common_options.NamesFile = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="Write an ONNX tower with matrices in int8, too, and say what it costs.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            help="A data set or folder whose test images say what --int8 costs; otherwise the one it was trained on.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    backbone: common_options.OwnBackbone = None,
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
    read: dict[str, Any] = {},
) -> None:
    """Write trained prompts for programs without bmip: the image tower with them, and a matrix of the classes.

    The matrix can be exchanged later for other classes, without writing the tower again.
    All numbers are float32 but those of --int8.
    """
    asked = names_asked(classes, classes_file)
    if to is not None and to not in TARGETS:
        raise ValueError(f"--to is {to!r}: {nearest(to, TARGETS)}")
    if int8 and to != "onnx":
        raise ValueError("--int8 is for ONNX: say --to onnx")
    if data is not None:
        if not int8:
            raise ValueError("--data says on which images the cost of --int8 is measured: add --int8")
        check_data(data)
    if to == DASSL:
        if asked is not None or read:
            raise ValueError("a checkpoint of released code holds no classes: leave --classes and --template out")
        _write_checkpoint(run, folder, backbone)
        return
    if not int8 and (useless := sorted(read.keys() - {"template"})):
        raise ValueError(f"how images are read ({', '.join(useless)}) counts for --int8 alone: leave it out")

    from bmip.cli.load_run import load_run
    from bmip.evaluation.predict import classes_of
    from bmip.exporting.class_files import class_matrix, write_classes
    from bmip.exporting.folder import read_export
    from bmip.prompting.checkpoint import origin_hash
    from bmip.training.hub import located

    common_options.use_threads(threads)
    prompts = origin_hash(located(run))
    _check_folder(folder, read_export(folder), run, prompts, to)
    model = load_run(run, backbone, "cpu", "float32")
    names = replace(classes_of(model, asked), template=read.get("template", model.classes.template))
    measured = _measured(model, run, data, names.names, read) if int8 else None
    if to is None:
        write_classes(folder, class_matrix(model, names))
    else:
        importlib.import_module(f"bmip.exporting.to_{to}").write(model, names, prompts, folder)
    if measured:
        from bmip.exporting.int8 import add_int8

        cost = add_int8(model, names, prompts, folder, measured.test)
        images = f"{counted(cost.total, 'test image')} of {measured.name}"
        line(
            f"accuracy on {images}: {cost.before.percent:.1f} % in float32, {cost.after.percent:.1f} % in int8; "
            f"{cost.same.percent:.1f} % of the answers are the same"
        )
    for file in sorted(folder.iterdir()):
        line(f"{file}  {file.stat().st_size / 1e6:.2f} MB")
    note(f"exported among {counted(len(names), 'class')}; the programs that use them need no bmip")


def _check_folder(folder: Path, there: Export | None, run: Path, prompts: str, to: str | None) -> None:
    """Raises ValueError where what is in the folder does not go with what is asked for."""
    if there is None:
        if to is None:
            raise ValueError(f"{folder} holds no export whose classes could be exchanged: say --to {'|'.join(TARGETS)}")
        return
    if there.prompts != prompts:
        raise ValueError(f"{folder} holds an export of other prompts than {run}: name another folder")
    if to not in (None, there.kind):
        raise ValueError(f"{folder} holds an export to {there.kind}: name another folder for {to}")


def _measured(model: PromptedCLIP, run: Path, data: str | None, names: Sequence[str], read: dict[str, Any]) -> Dataset:
    """The data set on whose test images the cost of int8 is measured, among these classes."""
    from bmip.cli.load_run import data_of, read_of
    from bmip.data.load import load_dataset

    description = model.described()
    name = data or data_of(run, description)
    found = among(load_dataset(name, read_of(description, name, read)), names)
    if not len(found.test):
        raise ValueError(f"{name} has no test images of these classes to measure --int8 on: name others (--data)")
    return found


def _write_checkpoint(run: Path, folder: Path, backbone: str | None) -> None:
    from bmip.cli.load_run import load_run
    from bmip.interchange.exporting import export_checkpoint
    from bmip.training.hub import located

    line(f"{export_checkpoint(load_run(located(run), backbone, 'cpu'), folder)}")
