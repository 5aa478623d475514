"""A matrix of the classes for a plain CLIP, of methods that leave the image tower as it is."""

from __future__ import annotations

from pathlib import Path

from bmip.class_names import ClassNames
from bmip.exporting.class_files import class_matrix, write_classes
from bmip.exporting.folder import Export, staged, write_export
from bmip.exporting.image_side import ExportError, check_exportable
from bmip.prompting.method import Adapter
from bmip.prompting.model import PromptedCLIP

METHODS = (
    "zero-shot", "coop", "deep-language", "kgcoop", "prograd", "proda", "tcp", "linear-probe", "lp-plus-plus",
)  # fmt: skip
"""The methods of the package that can be exported this way with their default options."""


def write(model: PromptedCLIP, classes: ClassNames, prompts: str, folder: Path) -> None:
    """Writes the matrix, and which CLIP it is for; `prompts` is the hash of the prompts.

    Raises ExportError for a model that has no matrix of the classes, or other features of an image than its CLIP.
    """
    check_plain(model)
    matrix = class_matrix(model, classes)
    with staged(folder) as part:
        write_classes(part, matrix)
        write_export(part, model, Export("linear", prompts), {})


def check_plain(model: PromptedCLIP) -> None:
    """Raises ExportError for a model whose features of an image are not those of its CLIP, with what changes them.

    Also as `check_exportable` does.
    """
    check_exportable(model)
    found = {
        "has prompts in the image tower": bool(model.prompts(model.classes).image),
        "has modules of its own inside the image tower": model.student.image is not model.clip.image,
        "has an adapter behind the image tower": model.adapter is not None
        and type(model.adapter).image is not Adapter.image,
    }
    if changes := [what for what, there in found.items() if there]:
        raise ExportError(
            f"{model.described().spec.method} {' and '.join(changes)}, so a plain CLIP has other features of an image: "
            f"export to onnx or torch, or train a method that leaves the tower alone ({', '.join(METHODS)})"
        )
