"""`bmip import-checkpoint FILE`."""

# ruff: noqa: B006  (typer reads the defaults and copies them)

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import names_asked
from bmip.cli.asked_methods import asked_methods, specs
from bmip.cli.command import Command
from bmip.cli.console import line, note
from bmip.clip.loading.backbones import STANDARD
from bmip.experiments.presets import presets
from bmip.system.messages import counted, first_few

if TYPE_CHECKING:
    from bmip.prompting.model import PromptedCLIP

app = typer.Typer(add_completion=False)


@app.command(
    "import-checkpoint",
    cls=Command,
    epilog="Example: bmip import-checkpoint model.pth.tar-5 --method maple --out runs/maple",
)
@common_options.read_options(only=["template"], make=dict)
def import_checkpoint(
    file: Annotated[
        Path,
        typer.Argument(help="A checkpoint that the released code of a method wrote.", metavar="FILE", dir_okay=False),
    ],
    method: Annotated[
        str, typer.Option(help="The method whose code wrote the file.", autocompletion=completion.methods)
    ],
    out_: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder for the prompts; otherwise runs/METHOD-imported.",
            show_default=False,
            file_okay=False,
            metavar="DIR",
        ),
    ] = None,
    classes: Annotated[
        list[str] | None,
        typer.Option(
            help="The names of the training classes, in their order: 'a cat,a dog', or with spaces between them. "
            "Otherwise those that the file holds.",
            metavar="NAME...",
            show_default=False,
        ),
    ] = None,
    classes_file: Annotated[
        Path | None,
        typer.Option(
            "--classes-file",
            help="A file with these names, one a line, or a JSON list.",
            metavar="FILE",
            show_default=False,
            dir_okay=False,
        ),
    ] = None,
    backbone: Annotated[
        str,
        typer.Option(
            help="The CLIP that the prompts were trained with: a name (`bmip backbones`), a file, a folder, a hub id.",
            rich_help_panel=common_options.METHOD,
            autocompletion=completion.backbones,
        ),
    ] = STANDARD,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Options that the file does not tell, as a preset has them; `released` where nothing is said.",
            rich_help_panel=common_options.METHOD,
            show_default=False,
            autocompletion=completion.presets,
        ),
    ] = None,
    set_: common_options.Set = None,
    debug: common_options.Debug = False,
    read: dict[str, Any] = {},
) -> None:
    """Make prompts of a checkpoint of a method's released code, so that all commands take them.

    Nothing in the file is run. Every key in it must be known: what was trained is taken, the frozen CLIP and what is
    made of class names is left out.
    """
    if not file.is_file():
        raise ValueError(f"{file} is no file: name a checkpoint of released code, such as model.pth.tar-5")
    names = names_asked(classes, classes_file)
    (asked,) = asked_methods([method], None, preset or ("released" if "released" in presets(method) else None), set_)
    (spec,) = specs([asked], backbone=backbone)
    folder = out_ or Path("runs") / f"{spec.method_name}-imported"
    if (folder / "config.json").exists():
        raise ValueError(f"{folder} holds a training run, whose prompts would be lost: name another folder (--out)")

    from bmip.clip.loading.load import load_clip
    from bmip.interchange.importing import import_checkpoint as imported_from

    found = imported_from(file, spec, load_clip(spec.backbone), names, **read, given=asked.options)
    _check_folder(folder, found.model)
    found.model.save_pretrained(folder)
    if names is None:
        known = found.model.classes.names
        note(f"the names of the training classes are read from the file: {first_few(known)}")
    taken = found.model.trainable().values()
    line(f"taken: {counted(len(taken), 'tensor')}, {sum(tensor.numel() for tensor in taken):,} numbers")
    for reason, keys in found.left_out.items():
        line(f"left out, {reason}: {counted(len(keys), 'tensor')} ({first_few(keys, 3)})")
    note(f"the prompts lie in {folder}; classify images with: bmip predict {folder} IMAGES... --classes NAMES")


def _check_folder(folder: Path, model: PromptedCLIP) -> None:
    """Raises ValueError for a folder with anything but the same prompts."""
    if not folder.exists() or not any(folder.iterdir()):
        return
    from bmip.prompting.checkpoint import CheckpointError, read_checkpoint

    try:
        there = read_checkpoint(folder)[1]
    except CheckpointError as error:
        raise ValueError(f"{folder} holds other things than prompts: name another folder (--out)") from error
    own = model.learned()
    if there.keys() != own.keys() or any(not there[name].equal(own[name].detach().cpu()) for name in own):
        raise ValueError(f"{folder} holds other prompts, which would be lost: name another folder (--out)")
