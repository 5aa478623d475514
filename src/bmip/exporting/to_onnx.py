"""An image tower with prompts as an ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from bmip.class_names import ClassNames
from bmip.exporting.class_files import check_equal, class_matrix, write_classes
from bmip.exporting.folder import Export, staged, write_example, write_export
from bmip.exporting.image_side import INPUT, OUTPUT, quiet, traced
from bmip.prompting.model import PromptedCLIP

TOWER = "image_tower.onnx"
_PACKAGES = ("onnx", "onnx_ir", "onnxruntime", "onnxscript")
_LARGEST = 2**31 - 2**24
"""Bytes of weights in one ONNX file, whose format ends at 2 GiB; those of a larger tower go into a file beside it."""


def check_packages() -> None:
    """Raises ImportError where a package is missing that the export to ONNX needs."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise ImportError(f"the export to ONNX needs {', '.join(missing)}: pip install 'bmip[export]'")


def write(model: PromptedCLIP, classes: ClassNames, prompts: str, folder: Path) -> None:
    """Writes all files of the export; `prompts` is the hash of the prompts.

    Raises ExportError for a model that cannot be exported, and where onnxruntime computes other logits than torch; then
    the folder is left as it was.
    """
    check_packages()
    matrix, program = class_matrix(model, classes), traced(model)
    with staged(folder) as part:
        write_tower(program, part / TOWER)
        check_equal(model, matrix, features_of(part / TOWER))
        write_classes(part, matrix)
        write_example(part, "onnx")
        write_export(part, model, Export("onnx", prompts), {"image_tower": TOWER})


def write_tower(program: torch.export.ExportedProgram, file: Path) -> None:
    """Writes a traced image side as an ONNX file, for any number of images. Weights that occur twice are in it once."""
    from onnx_ir.passes.common import DeduplicateInitializersPass

    held = sum(tensor.nbytes for tensor in program.constants.values() if isinstance(tensor, torch.Tensor))
    with quiet():
        found = torch.onnx.export(program, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False)
        assert found is not None  # with dynamo it is a program
        DeduplicateInitializersPass(_LARGEST)(found.model)  # the converter transposes a weight anew for each use
        found.save(file, external_data=held > _LARGEST)


def features_of(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pixels (image, 3, size, size) to features (image, channel), computed by onnxruntime.

    It computes with as many threads as torch does.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda pixels: np.asarray(session.run([OUTPUT], {INPUT: pixels})[0])
