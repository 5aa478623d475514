"""The options of commands that read data sets."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli.common_options import DATA

OPTIONS: dict[str, Any] = {
    "root": Annotated[
        Path | None,
        typer.Option(
            help="The folder that holds the public data sets, laid out as for CoOp (`bmip data prepare`).",
            rich_help_panel=DATA,
            show_default=False,
            metavar="DIR",
        ),
    ],
    "class_names": Annotated[
        Path | None,
        typer.Option(
            help="A file with better names for the classes of your own data: JSON from old to new names, or a list.",
            rich_help_panel=DATA,
            show_default=False,
            metavar="FILE",
        ),
    ],
    "cache": Annotated[
        Path | None,
        typer.Option(
            help="Where resized test images and other things are kept that can be made again; otherwise $BMIP_CACHE or "
            "the user's cache folder.",
            rich_help_panel=DATA,
            show_default=False,
            metavar="DIR",
        ),
    ],
    "cache_images": Annotated[
        bool,
        typer.Option(" /--no-cache", help="Keep no resized test images.", rich_help_panel=DATA, show_default=False),
    ],
    "scaled_decoding": Annotated[
        bool,
        typer.Option(
            "--scaled-decoding",
            help="Decode large JPEGs of the test split at a smaller size: faster, and not quite the same pixels.",
            rich_help_panel=DATA,
            show_default=False,
        ),
    ],
}
"""Parameters of `load_dataset` that every command passes on."""


DEFAULTS = {"cache_images": True, "scaled_decoding": False}


def reading_options(command: Callable) -> Callable:
    """Gives a command these options; they arrive as a dictionary in its parameter `reading`."""

    def run(**given: Any) -> Any:
        return command(reading={name: given.pop(name) for name in OPTIONS}, **given)

    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "reading"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=DEFAULTS.get(name), annotation=kind)
        for name, kind in OPTIONS.items()
    ]
    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    run.__doc__, run.__name__ = command.__doc__, command.__name__
    run.__signature__ = signature.replace(parameters=[*keyword, *added])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*keyword, *added)}
    return run
