"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import completion
from bmip.cli.options import with_fields
from bmip.data.read_config import ReadConfig
from bmip.training.config import TrainConfig

MACHINE, DATA, METHOD, TRAINING = "Machine", "Data", "Method", "Training"
DEVICES = ("auto", "cpu", "cuda", "mps")


def _device(name: str) -> str:
    if name.split(":")[0] not in DEVICES:
        raise typer.BadParameter(f"{name!r} is no device; choose one of {', '.join(DEVICES)}")
    return name


Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=MACHINE, callback=_device, metavar="NAME")
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Processor threads; torch's own choice otherwise.", rich_help_panel=MACHINE),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the whole traceback of an error.", rich_help_panel=MACHINE)]
Backbone = Annotated[
    str | None,
    typer.Option(
        help="The CLIP: a name (`bmip backbones`), a file, a folder or a hub id. Otherwise `embedded` for data sets "
        "that come with bmip, and ViT-B/16 for public ones and your own images.",
        rich_help_panel=METHOD,
        show_default=False,
        autocompletion=completion.backbones,
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        help="Settings with a name (`bmip methods NAME`). Otherwise, where there is one, `embedded` for the embedded "
        "backbone, `cross-dataset` for that protocol and for domain, else `default`.",
        rich_help_panel=METHOD,
        show_default=False,
        autocompletion=completion.presets,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="OPTION=VALUE", help="Options of the method (`bmip methods NAME`).", rich_help_panel=METHOD
    ),
]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="METHOD",
        help="Adds to the method's prompts what these have for any prompts, such as a loss: bmip with promptsrc is the "
        "method bmip+promptsrc.",
        rich_help_panel=METHOD,
        autocompletion=completion.additions,
    ),
]
Run = Annotated[
    Path,
    typer.Argument(
        help="A run folder that training wrote, a folder or file of prompts, or a repository on the hub.", metavar="RUN"
    ),
]
Stored = Annotated[
    list[Path],
    typer.Argument(help="Files of rows that `bmip run` wrote, or the folder of one study.", metavar="FILE..."),
]
Names = Annotated[
    list[str] | None,
    typer.Option(
        help="Class names: 'a cat,a dog', or one or more names with a space between. Otherwise those of training.",
        metavar="NAME...",
        show_default=False,
    ),
]
NamesFile = Annotated[
    Path | None,
    typer.Option(
        "--classes-file",
        help="A file of class names, one a line, or a JSON list; with --classes they stand behind those.",
        metavar="FILE",
        show_default=False,
        dir_okay=False,
    ),
]
OwnBackbone = Annotated[
    str | None,
    typer.Option(
        help="Where the CLIP lies, if no longer where it was in training; it must be the same one.",
        rich_help_panel=METHOD,
        show_default=False,
    ),
]
Shots = Annotated[
    int, typer.Option(min=0, help="Training images per class; 0 takes all there are.", rich_help_panel=DATA)
]


training_options = with_fields(TrainConfig, into="training", panel=TRAINING, otherwise=", or as the preset has it")
"""Gives a command the settings of training."""


def read_options(
    *, only: Sequence[str] = (), leave_out: Sequence[str] = (), make: Callable[..., Any] = ReadConfig
) -> Callable[[Callable], Callable]:
    """Gives a command the options of ReadConfig, all or some; its parameter `read` receives `make(**given)`."""
    unwanted = [
        field.name for field in fields(ReadConfig) if field.name in leave_out or (only and field.name not in only)
    ]
    return with_fields(
        ReadConfig,
        into="read",
        panel=DATA,
        leave_out=unwanted,
        flags={"cache_images": "--cache-images/--no-cache"},
        metavars={"template": "TEXT", "class_names": "FILE", "root": "DIR", "cache": "DIR"},
        make=make,
    )


def use_threads(threads: int | None) -> None:
    """Lets torch compute with this number of processor threads; None leaves its own choice."""
    if threads is not None:
        import torch  # here, so that the options can be read without it

        torch.set_num_threads(threads)
