"""The logits of every method beside those of its export: `python -m tools.exported_logits` prints the table.

The methods stand on a tiny CLIP with the values that they have before training. An image of noise is asked about; the
largest difference is over seven images and six classes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bmip.exporting import to_linear, to_onnx
from bmip.exporting.class_files import class_matrix
from bmip.exporting.image_side import ExportError, traced
from bmip.methods import combination_names, method_names
from bmip.prompting.model import PromptedCLIP
from bmip.testing.case import CLASSES, cases, images

Features = Callable[[np.ndarray], np.ndarray]
IMAGES, SHOWN = 7, 2


@dataclass(frozen=True)
class Compared:
    """The logits (image, class) of one method, computed twice, or why it cannot be exported."""

    method: str
    ours: np.ndarray
    exported: np.ndarray | None
    refusal: str = ""

    def line(self) -> str:
        """A line of the table: the first image's logits of the first classes, and the largest difference of all."""
        ours = " ".join(f"{value:.5f}" for value in self.ours[0, :SHOWN])
        if self.exported is None:
            return f"| {self.method} | {ours} | refused: {self.refusal.partition(', ')[0].partition(':')[0]} | |"
        theirs = " ".join(f"{value:.5f}" for value in self.exported[0, :SHOWN])
        return f"| {self.method} | {ours} | {theirs} | {np.abs(self.ours - self.exported).max():.1e} |"


def compared(names: Iterable[str]) -> Iterator[Compared]:
    """Each method with its default options. Those that leave the image tower alone share one exported tower."""
    plain: Features | None = None
    for name in names:
        (case,) = (one for one in cases(name) if one.label == "default")
        model = case.model(torch.float32)
        pixels = images(IMAGES, torch.float32, model.clip.config.image_size, seed=1)
        with torch.no_grad():
            ours = model.eval().classifier(CLASSES)(pixels).numpy()
        try:
            found = class_matrix(model, CLASSES)
            if (features := plain if _is_plain(model) else None) is None:
                features = onnx_features(model)
                plain = features if _is_plain(model) else plain
        except ExportError as refusal:
            yield Compared(name, ours, None, str(refusal))
            continue
        yield Compared(name, ours, features(pixels.numpy()) @ found.matrix.numpy().T + found.bias.numpy())


def onnx_features(model: PromptedCLIP) -> Features:
    """The image side of a model as onnxruntime computes it, from a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / to_onnx.TOWER
        to_onnx.write_tower(traced(model), file)
        return to_onnx.features_of(file)


def _is_plain(model: PromptedCLIP) -> bool:
    try:
        to_linear.check_plain(model)
    except ExportError:
        return False
    return True


if __name__ == "__main__":
    print("| method | logits of bmip | of onnxruntime | largest difference |\n|---|---|---|---:|")
    for one in compared(sys.argv[1:] or (*method_names(), *combination_names())):
        print(one.line(), flush=True)
