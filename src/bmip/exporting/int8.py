"""The matrices of an exported ONNX tower in int8, and what that costs in accuracy."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from bmip.class_names import ClassNames
from bmip.clip.model import CLIPConfig
from bmip.data.batches import EvalBatches
from bmip.data.dataset import Split
from bmip.data.transforms import normalise
from bmip.exporting import to_onnx
from bmip.exporting.class_files import ClassMatrix, class_matrix
from bmip.exporting.folder import Export, staged, write_export
from bmip.exporting.image_side import quiet
from bmip.metrics import Count
from bmip.prompting.model import PromptedCLIP

TOWER = "image_tower.int8.onnx"


@dataclass(frozen=True)
class Cost:
    """The answers of both towers for the same images."""

    before: Count
    """The right answers in float32."""

    after: Count
    """The right answers in int8."""

    same: Count
    """The answers that are the same in both."""

    @property
    def total(self) -> int:
        """The number of images."""
        return self.same.total


def add_int8(model: PromptedCLIP, classes: ClassNames, prompts: str, folder: Path, split: Split) -> Cost:
    """Writes the quantised tower beside the one of an export to ONNX, and makes it the one that the export names.

    Returns what it costs on a split, whose labels are indices into the classes.
    """
    towers = {"image_tower": TOWER, "float32_image_tower": to_onnx.TOWER}
    with staged(folder) as part:
        quantise(folder / to_onnx.TOWER, part / TOWER)
        write_export(part, model, Export("onnx", prompts), towers)
    before, after = (to_onnx.features_of(folder / name) for name in (to_onnx.TOWER, TOWER))
    return cost(before, after, class_matrix(model, classes), split, model.clip.config)


def quantise(tower: Path, to: Path) -> None:
    """Writes the tower with its matrices in int8; what they multiply is quantised as it comes, convolutions stay.

    Each column of a matrix has a scale of its own. Weights have seven bits, because on processors without VNNI sums of
    two products of eight bits overflow: so these sums are exact everywhere. What stays in float32 is rounded.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with quiet(), tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / tower.name  # with weights as constants, which is what the quantiser looks for
        quant_pre_process(str(tower), str(folded), skip_symbolic_shape=True)
        quantize_dynamic(
            folded,
            to,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )


def cost(
    before: Callable[[np.ndarray], np.ndarray],
    after: Callable[[np.ndarray], np.ndarray],
    classes: ClassMatrix,
    split: Split,
    config: CLIPConfig,
) -> Cost:
    """What both functions from pixels to features answer for a split, whose labels are indices into the classes."""
    float32, int8 = (_answers(features, classes, split, config) for features in (before, after))
    labels = np.array(split.labels)
    return Cost(Count.of(float32 == labels), Count.of(int8 == labels), Count.of(float32 == int8))


def _answers(
    features: Callable[[np.ndarray], np.ndarray], classes: ClassMatrix, split: Split, config: CLIPConfig
) -> Int64[np.ndarray, " image"]:
    matrix, bias = classes.matrix.numpy(), classes.bias.numpy()
    batches = (pixels for pixels, _ in EvalBatches(split, config.image_size))
    found = (features(normalise(pixels, config.mean, config.std).numpy()) @ matrix.T + bias for pixels in batches)
    return np.concatenate([logits.argmax(-1) for logits in found])
