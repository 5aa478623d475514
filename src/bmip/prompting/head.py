"""Class scores from labelled images, beside those from the class names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.class_names import ClassNames


@dataclass(frozen=True)
class Support:
    """Features of labelled images, and of the classes. All are normalised."""

    images: Float[Tensor, "image out"]
    labels: Int64[Tensor, " image"]
    classes: Float[Tensor, "class out"]
    scale: Float[Tensor, ""]
    """The factor that turns cosines into CLIP's logits."""

    def cosines(self) -> Float[Tensor, "image class"]:
        """The cosine of each image's feature and each class's."""
        return self.images @ self.classes.T


class Head(nn.Module, ABC):
    """Logits over the classes that it was trained on, from an image's feature and its cosines with the class features.

    It works on the features of the frozen CLIP. It knows the training classes alone, so it is not for protocols with
    novel classes. Its parameters and buffers are what a checkpoint holds.

    Args:
        classes: the training classes.
    """

    passes: int = 0
    """Over so many augmented copies of each training image its feature is averaged; 0 takes the centre square."""

    affine: bool = False
    """Whether the logits are an affine function of the feature, so that a matrix and a bias can stand for the head."""

    trained: bool = False
    """Whether the training loop trains the parameters after `fit`; otherwise `fit` makes all of them."""

    def __init__(self, classes: ClassNames) -> None:
        super().__init__()
        self.classes = classes

    @abstractmethod
    def fit(self, support: Support, validation: Support | None) -> None:
        """Make the parameters from the training images, once, before any epoch.

        Validation images are there if the data set has some that are no test images. What `fit` draws comes from
        torch's global generator, which the caller has seeded.
        """

    def choose(self, validation: Support) -> None:
        """Choose on the validation images what training does not set, after the last epoch."""

    def make_room(self, shapes: Mapping[str, torch.Size]) -> None:
        """Before a checkpoint is read: give the parameters and buffers that depend on the images these shapes."""

    @abstractmethod
    def forward(
        self, images: Float[Tensor, "image out"], cosines: Float[Tensor, "image class"], scale: Float[Tensor, ""]
    ) -> Float[Tensor, "image class"]:
        """The logits."""


def accuracy(head: Head, data: Support) -> float:
    """The share of the images, 0 to 1, to which the head gives the right class."""
    with torch.no_grad():
        found = head(data.images, data.cosines(), data.scale).argmax(-1)
    return float((found == data.labels).float().mean())
