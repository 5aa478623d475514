"""Classifies images from files among any class names."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.batches import ahead
from bmip.data.dataset import DataError
from bmip.data.images import image_files, read_image
from bmip.data.sources.listing import list_files
from bmip.data.transforms import centre_square, normalise
from bmip.evaluation.evaluate import evaluation_mode
from bmip.prompting.model import PromptedCLIP

Picture = UInt8[Tensor, "3 height width"]


@dataclass(frozen=True)
class Guess:
    name: str
    probability: float
    """Among the names asked about."""


@dataclass(frozen=True)
class Prediction:
    image: str
    guesses: tuple[Guess, ...]
    """The most probable first."""


def predict(
    model: PromptedCLIP,
    images: Iterable[str | Path | Picture],
    names: Sequence[str] | ClassNames | None = None,
    *,
    top: int = 5,
    batch: int = 100,
) -> list[Prediction]:
    """The most probable of any class names for each image; without names those the model was trained on.

    Images are files, or uint8 tensors (3, height, width). Raises DataError for a file that cannot be read, ValueError
    for names that are empty, too long or duplicated.
    """
    classes = classes_of(model, names)
    if top < 1:
        raise ValueError(f"top is {top}; at least the first guess must be asked for")
    size, device, config = model.clip.config.image_size, model.clip.device, model.clip.config
    found: list[Prediction] = []
    with evaluation_mode(model), torch.no_grad():
        classify = model.classifier(classes)
        squares = ahead(lambda image: (_name(image), centre_square(_pixels(image), size)), images)
        while chunk := list(islice(squares, batch)):
            pixels = torch.stack([square for _, square in chunk]).to(device)
            shares = classify(normalise(pixels, config.mean, config.std)).softmax(-1)
            most, best = (part.tolist() for part in shares.topk(min(top, len(classes))))
            for (name, _), row, labels in zip(chunk, most, best, strict=True):
                guesses = tuple(Guess(classes.names[label], share) for label, share in zip(labels, row, strict=True))
                found.append(Prediction(name, guesses))
    return found


def classes_of(model: PromptedCLIP, names: Sequence[str] | ClassNames | None) -> ClassNames:
    """A label space for the model, in the template it was trained with unless the names bring their own."""
    if names is None:
        return model.classes
    if isinstance(names, ClassNames):
        return names
    if isinstance(names, str):
        raise ValueError(f"class names are a list, not one text: give [{names!r}]")
    return replace(model.classes, names=tuple(names), duplicates=False)


def image_paths(places: Iterable[str | Path]) -> list[Path]:
    """Image files from files, folders (with all below them) and patterns with `*`; in order, each once.

    Raises DataError for a place where there is nothing, or a folder without images.
    """
    found: dict[Path, None] = {}
    for place in places:
        path = Path(place)
        if path.is_dir():
            inside = [path / name for name in image_files(list_files(path))]
            if not inside:
                raise DataError(f"the folder {path} holds no images")
        elif path.exists():
            inside = [path]
        else:
            matches = glob.glob(str(place), recursive=True)  # noqa: PTH207 (the pattern may be an absolute path)
            inside = [Path(name) for name in sorted(matches) if Path(name).is_file()]
            if not inside:
                raise DataError(f"there is no image {path}")
        found |= dict.fromkeys(inside)
    return list(found)


def _name(image: str | Path | Picture) -> str:
    return "(pixels)" if isinstance(image, Tensor) else str(image)


def _pixels(image: str | Path | Picture) -> Picture:
    return image if isinstance(image, Tensor) else read_image(image)
