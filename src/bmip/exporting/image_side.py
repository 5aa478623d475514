"""What an exported program computes: features that the class matrix is multiplied with, from normalised pixels."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting.model import PromptedCLIP

INPUT, OUTPUT = "pixels", "features"


class ExportError(ValueError):
    """A model that cannot be exported; the message says why."""


def check_exportable(model: PromptedCLIP) -> None:
    """Raises ExportError for a model that is no image tower with a matrix of the classes beside it."""
    method = model.described().spec.method
    if model.prompter.reads_images:
        raise ExportError(
            f"{method} makes the features of the classes anew for each image, so there is no matrix of the classes to "
            "export: train a method whose class features are the same for all images, such as bmip"
        )
    if model.prompter.changes_itself:
        raise ExportError(
            f"{method} with these options changes its prompts with each use, and a file cannot: train another preset"
        )
    if model.head and not model.head.affine:
        raise ExportError(
            f"{method} compares each image with the training images, so no matrix of the classes can stand for it: "
            "train a method whose logits are products of features, such as linear-probe or bmip"
        )


class ImageSide(nn.Module):
    """The image tower with prompts, changes, adapter and read-out in place, as a function of the pixels alone.

    It has no parameters: whatever it uses becomes a constant of the exported program, and nothing else does. The model
    is frozen and set to evaluation mode by it. Raises ExportError as `check_exportable` does.
    """

    def __init__(self, model: PromptedCLIP) -> None:
        super().__init__()
        check_exportable(model)
        model.eval().requires_grad_(False)
        self._read = model.image_reader()

    def forward(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image channel"]:
        """The normalised features of the images; those of a read-out, if there is one, stand behind them."""
        return torch.cat(self._read(pixels), dim=-1)


def traced(model: PromptedCLIP) -> torch.export.ExportedProgram:
    """The image side as a program of torch for any number of images. Raises ExportError as `check_exportable` does."""
    size = model.clip.config.image_size
    side, pixels = ImageSide(model), torch.zeros(2, 3, size, size)
    with torch.no_grad(), quiet():
        return torch.export.export(side, (pixels,), dynamic_shapes=({0: torch.export.Dim("image")},), strict=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps from the terminal what torch and onnxruntime remark about their own insides."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
