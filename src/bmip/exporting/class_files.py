"""The matrix of the classes beside an exported image tower, in two files that can be exchanged without exporting again.

`features @ matrix.T + bias` are the logits, so CLIP's scale is in the matrix.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.exporting.image_side import ExportError, check_exportable
from bmip.prompting.model import PromptedCLIP
from bmip.system.files import write_bytes, write_json

MATRIX, CLASSES = "classes.npy", "classes.json"
_TOLERANCE = 1e-5


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


@torch.no_grad()
def check_equal(model: PromptedCLIP, found: ClassMatrix, exported: Callable[[np.ndarray], np.ndarray]) -> None:
    """Raises ExportError where exported features times the matrix are not the model's logits, for noise as images.

    Logits may differ by 1e-5 of the longest row of the matrix, which is CLIP's scale but for heads: by 1e-3 at a scale
    of 100, which changes no probability by more than 0.05 %. In float32 a good program differs by less than a tenth of
    that, since it only sums in another order (by less than 1e-5 at the scale of the embedded CLIP, 53.5).
    """
    size = model.clip.config.image_size
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    gold = model.eval().classifier(found.classes)(pixels).numpy()
    logits = exported(pixels.numpy()) @ found.matrix.numpy().T + found.bias.numpy()
    difference, most = float(np.abs(logits - gold).max()), _TOLERANCE * float(found.matrix.norm(dim=1).max())
    if not difference <= most:
        raise ExportError(
            f"the exported program's logits differ from the model's by {difference:.2g}, more than {most:.2g}: do not "
            "use the file, and try other versions of torch, onnxscript and onnxruntime"
        )


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
