"""A trained run, as commands find it on disk."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from bmip.cli import common_options
from bmip.clip.loading.load import load_clip
from bmip.prompting.model import PromptedCLIP
from bmip.system.device import pick_device
from bmip.training.checkpoint import load_checkpoint, read_description
from bmip.training.precision import use_precision

Run = Annotated[Path, typer.Argument(help="A run folder that training wrote, or a file of prompts.", metavar="RUN")]
OwnBackbone = Annotated[
    str | None,
    typer.Option(
        help="Where the CLIP lies, if no longer where it was in training; it must be the same one.",
        rich_help_panel=common_options.METHOD,
        show_default=False,
    ),
]


def load_run(run: Path, backbone: str | None, device: str) -> PromptedCLIP:
    """Ready to classify, in the precision it was trained in."""
    said = read_description(run)
    clip = load_clip(backbone or said["backbone"]["source"]).to(pick_device(device))
    use_precision(clip, said["training"].get("precision", "float32"))
    return load_checkpoint(run, clip)


def asked_of(run: Path) -> dict[str, Any]:
    """What the command line said when it was trained; empty for prompts without their folder."""
    with suppress(OSError, ValueError):
        return dict(json.loads((run / "config.json").read_text(encoding="utf-8"))["trial"])
    return {}


def listed(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",")]
