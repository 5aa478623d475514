"""The matrix of the classes beside an exported image tower, in two files that can be exchanged without exporting again.

`features @ matrix.T + bias` are the logits, so CLIP's scale is in the matrix.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.exporting.image_side import check_exportable
from bmip.prompting.model import PromptedCLIP
from bmip.system.files import write_bytes, write_json

MATRIX, CLASSES = "classes.npy", "classes.json"


@dataclass(frozen=True, eq=False)
class ClassMatrix:
    """What turns the features of an image into logits over some classes."""

    classes: ClassNames
    matrix: Float[Tensor, "class channel"]
    """A channel for each of those that `ImageSide` returns."""

    bias: Float[Tensor, " class"]
    """Zeros but for heads that were fitted to training images."""


@torch.no_grad()
def class_matrix(model: PromptedCLIP, classes: ClassNames) -> ClassMatrix:
    """The matrix of these classes, read off the model's own logits: they are affine in the features.

    Raises ExportError as `check_exportable` does, and ValueError for classes that the method cannot tell apart.
    """
    check_exportable(model)
    channels = model.clip.config.out
    features = torch.eye(channels * (2 if model.read_out else 1))
    logits = model.feature_classifier(classes)
    bias = logits(torch.zeros_like(features[:1]).split(channels, dim=-1))
    return ClassMatrix(classes, (logits(features.split(channels, dim=-1)) - bias).T.contiguous(), bias[0])


def write_classes(folder: Path, found: ClassMatrix) -> None:
    """Writes both files: the matrix as float32, then its hash with the names, the template and the bias."""
    content = io.BytesIO()
    np.save(content, found.matrix.float().numpy())
    write_bytes(folder / MATRIX, content.getvalue())
    said = {
        "names": list(found.classes.names),
        "template": found.classes.template,
        "bias": found.bias.tolist(),
        "matrix": MATRIX,
        "sha256": hashlib.sha256(content.getvalue()).hexdigest(),
    }
    write_json(folder / CLASSES, said)
