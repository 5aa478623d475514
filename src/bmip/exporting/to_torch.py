"""An image tower with prompts as a program of torch.export, which needs torch and neither bmip nor its source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bmip.class_names import ClassNames
from bmip.exporting.class_files import check_equal, class_matrix, write_classes
from bmip.exporting.folder import Export, staged, write_example, write_export
from bmip.exporting.image_side import quiet, traced
from bmip.prompting.model import PromptedCLIP

TOWER = "image_tower.pt2"


def write(model: PromptedCLIP, classes: ClassNames, prompts: str, folder: Path) -> None:
    """Writes all files of the export; `prompts` is the hash of the prompts.

    Raises ExportError for a model that cannot be exported, and where the program computes other logits; then the folder
    is left as it was.
    """
    matrix, program = class_matrix(model, classes), traced(model)
    with staged(folder) as part:
        write_tower(program, part / TOWER)
        check_equal(model, matrix, features_of(part / TOWER))
        write_classes(part, matrix)
        write_example(part, "torch")
        write_export(part, model, Export("torch", prompts), {"image_tower": TOWER})


def write_tower(program: torch.export.ExportedProgram, file: Path) -> None:
    """Writes a traced image side, for any number of images."""
    with quiet():
        torch.export.save(program, file)


def features_of(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pixels (image, 3, size, size) to features (image, channel), computed by the program."""
    with quiet():
        run = torch.export.load(file).module()
    return lambda pixels: run(torch.from_numpy(pixels)).numpy()
