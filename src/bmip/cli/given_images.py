"""The images that a command line names, and those of them that could not be read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from bmip.cli.console import note
from bmip.system.messages import counted

STDIN = "-"
Places = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, or patterns such as 'photos/*.jpg'; - reads a list of files, one a line.",
        metavar="IMAGES...",
    ),
]


def image_files(places: Sequence[str]) -> Iterator[str | Path]:
    """The files in these places, then those that stdin lists. Raises DataError at once for a place without images."""
    from bmip.evaluation.predict import image_paths

    named = image_paths(place for place in places if place != STDIN)
    return chain(named, _listed() if STDIN in places else ())


def report_unread(reasons: Sequence[str]) -> None:
    """Tells what could not be read, and ends the command with status 1; does nothing where all could."""
    for reason in reasons:
        note(f"not read: {reason}")
    if reasons:
        note(f"{counted(len(reasons), 'image')} could not be read")
        raise typer.Exit(1)


def _listed() -> Iterator[str]:
    """The files that stdin lists, one a line."""
    if sys.stdin is None:
        raise ValueError("- reads a list of files, and there is no stdin: name the files")
    return (name for line in sys.stdin if (name := line.rstrip("\r\n")))
