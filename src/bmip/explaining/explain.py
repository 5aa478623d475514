"""What a trained model looks at in one image, beside what it looked at before training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import UInt8
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.transforms import centre_square, normalise
from bmip.evaluation.pictures import Picture, picture_pixels
from bmip.evaluation.predict import classes_of
from bmip.explaining.attention import Attention, attention_of
from bmip.explaining.covering import telling_apart
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP


@dataclass(frozen=True, eq=False)
class View:
    """What one model looks at."""

    name: str
    attention: Attention | None
    """None where the image tower is a ResNet, which has no class token among the patches."""

    for_first: Tensor
    """(row, column): how much each patch speaks for the first of the two names, in logits; below 0 for the second."""

    probability: float
    """Of the first of the two names, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """One image with what models look at in it."""

    pixels: UInt8[Tensor, "3 size size"]
    """The square that the models see."""

    names: tuple[str, str]
    """The two classes that are told apart."""

    frozen: View
    """CLIP without prompts."""

    untrained: View | None
    """The prompts as they were before training; None for those of released code, whose start is not known."""

    trained: View

    @property
    def views(self) -> tuple[View, ...]:
        """Those that there are, from CLIP without prompts to the trained ones."""
        return tuple(view for view in (self.frozen, self.untrained, self.trained) if view is not None)


def explain(model: PromptedCLIP, image: Picture, names: Sequence[str] | None = None) -> Explanation:
    """Explains how the model sees an image.

    Args:
        model: a trained model. Its method is built again with the same seed, to show the prompts before training,
            unless they are from a checkpoint of released code.
        image: a picture in any form that `bmip.predict` takes.
        names: two class names to tell apart; by default the two that the model finds most probable. Where it learned
            something of its own for each class, two in all, by default those in their order.

    Raises:
        DataError: for an image that cannot be read.
        ValueError: for another number of names than two, for fewer than two classes of training, and for names that
            the method cannot know.
    """
    clip, description = model.clip, model.described()
    square = centre_square(picture_pixels(image), clip.config.image_size)
    pixels = normalise(square[None].to(clip.device), clip.config.mean, clip.config.std)[0]
    classes = classes_of(model, _most_probable(model, pixels) if names is None else names)
    frozen = _view("CLIP without prompts", build_model("zero-shot", {}, clip, model.classes, seed=0), pixels, classes)
    untrained = None
    if not description.imported:
        spec = description.spec
        before = build_model(spec.method, dict(description.options), clip, model.classes, seed=spec.init_seed)
        untrained = _view("before training", before, pixels, classes)
    first, second = classes.names
    trained = _view("after training", model, pixels, classes)
    return Explanation(square, (first, second), frozen, untrained, trained)


def _most_probable(model: PromptedCLIP, pixels: Tensor) -> Sequence[str]:
    """The two most probable classes, the first one before the second; or both in their order if it knows no others."""
    known = model.classes
    if len(known) < 2:
        raise ValueError(f"the model knows {len(known)} class: name two, to see what tells them apart")
    if model.trained_on is None:
        return [known.names[label] for label in model.classifier(known)(pixels[None])[0].topk(2).indices.tolist()]
    if len(known) > 2:
        raise ValueError(
            f"this method learned something of its own for each of its {len(known)} classes, so it cannot be asked "
            "about two of them alone: choose prompts that all classes share, or train it on two classes"
        )
    return known.names


def _view(name: str, model: PromptedCLIP, pixels: Tensor, classes: ClassNames) -> View:
    has_patches = not isinstance(model.clip.config.image_layers, tuple)
    with torch.no_grad():
        share = model.classifier(classes)(pixels[None])[0].softmax(-1)[0].item()
    attention = attention_of(model, pixels) if has_patches else None
    return View(name, attention, telling_apart(model, pixels, classes), share)
