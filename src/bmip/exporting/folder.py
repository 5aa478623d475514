"""The folder of an export: what it was made of, and how images become the pixels that its image tower takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bmip.exporting.image_side import INPUT, OUTPUT, ExportError
from bmip.prompting.model import PromptedCLIP
from bmip.system.files import write_json, write_text

EXPORT, EXAMPLE = "export.json", "example.py"
_FORMAT = 1
_STAGED = ".export.part"


@dataclass(frozen=True)
class Export:
    """An export that a folder holds."""

    kind: str
    """What it was exported to, such as "onnx"."""

    prompts: str
    """The hash of what it was made of (`origin_hash`)."""


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A new folder inside this one to write into. Its files come into this one, export.json last, at the end.

    Where something is raised before that, the folder is left as it was: with its older export, or not there at all.
    """
    new, part = not folder.exists(), folder / _STAGED
    shutil.rmtree(part, ignore_errors=True)  # of an export that was killed
    part.mkdir(parents=True)
    try:
        yield part
        for file in sorted(part.iterdir(), key=lambda file: file.name == EXPORT):
            file.replace(folder / file.name)
        new = False
    finally:
        shutil.rmtree(folder if new else part)


def write_export(folder: Path, model: PromptedCLIP, export: Export, files: Mapping[str, str]) -> None:
    """Writes export.json; `files` has a file's name for each role, such as "image_tower"."""
    description, config = model.described().shareable(), model.clip.config
    said = {
        "format": _FORMAT,
        "bmip": version("bmip"),
        "kind": export.kind,
        "method": description.spec.method,
        "prompts": export.prompts,
        "clip": {"name": description.backbone, "sha256": description.backbone_hash},
        "scale": float(model.clip.scale),
        "pixels": {
            "size": config.image_size,
            "resize": "the shorter side to the size, bicubic with antialiasing, then the square in the middle",
            "range": "red, green, blue in 0..1, less the mean, divided by the standard deviation",
            "mean": config.mean,
            "std": config.std,
        },
        "input": INPUT,
        "output": OUTPUT,
        **files,
    }
    write_json(folder / EXPORT, said)


def read_export(folder: Path) -> Export | None:
    """The export in this folder; None where the folder does not exist, or holds only what a killed export left.

    Raises ExportError for a folder with other files, and for a damaged export.
    """
    file = folder / EXPORT
    if not file.exists():
        if folder.exists() and (not folder.is_dir() or any(one.name != _STAGED for one in folder.iterdir())):
            raise ExportError(f"{folder} holds other things and no export: name a folder that is empty or new")
        return None
    try:
        said: Any = json.loads(file.read_text(encoding="utf-8"))
        if said["format"] != _FORMAT:
            raise ValueError(f"its format is {said['format']}, and this version reads {_FORMAT}")
        return Export(str(said["kind"]), str(said["prompts"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExportError(f"{file} cannot be used ({error}): remove the folder and export again") from error


def write_example(folder: Path, kind: str) -> None:
    """Writes example.py, which classifies images with the files of the folder and without bmip."""
    text = Path(__file__).with_name(f"example_{kind}.py").read_text(encoding="utf-8")
    write_text(folder / EXAMPLE, text)
