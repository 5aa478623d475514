"""Classifies single pictures among any class names."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bmip.class_names import ClassNames
from bmip.data.dataset import DataError
from bmip.data.images import image_files
from bmip.data.sources.listing import list_files
from bmip.evaluation.logits import batch_logits
from bmip.evaluation.pictures import Picture, squares
from bmip.prompting.model import PromptedCLIP


@dataclass(frozen=True)
class Guess:
    """One class that an image may show."""

    name: str
    probability: float
    """Among the names that were asked about, 0 to 1."""


@dataclass(frozen=True)
class Prediction:
    """What one image may show."""

    image: str
    """The file's path, or "(pixels)" where there is no file."""

    guesses: tuple[Guess, ...]
    """The most probable class first."""

    similarity: float
    """The logit of the most probable class, divided by CLIP's scale. Unlike a probability it does not depend on the
    other names that were asked about.

    It is the cosine of the features of the image and of this class, -1 to 1, except for a method with a head or a
    read-out (`PromptedCLIP.logits_need`), whose logits are made otherwise; that of a head can be above 1. ProDA's
    class features are means of several, so it is a little less there."""


def predict(
    model: PromptedCLIP,
    images: Picture | Iterable[Picture],
    names: Sequence[str] | ClassNames | None = None,
    *,
    top: int = 5,
    batch: int = 100,
) -> list[Prediction]:
    """The most probable class names for each image.

    Args:
        model: any prompted CLIP; it is in evaluation mode meanwhile.
        images: files, Pillow images, numpy arrays (height, width, 3) or tensors (3, height, width), with uint8 values
            or floats in 0..1; or a single one of these.
        names: any class names; without them those that the model was trained on.
        top: guesses for each image; fewer where there are fewer names.
        batch: images at a time.

    Raises:
        DataError: for a file that cannot be read, and for an image in any other form.
        LogitsError: where a logit is not finite.
        ValueError: for names that are empty, too long or duplicated, for one text in place of a list of names, and for
            a `top` below 1.
    """
    return list(classify(model, images, names, top=top, batch=batch))


def classify(
    model: PromptedCLIP,
    images: Picture | Iterable[Picture],
    names: Sequence[str] | ClassNames | None = None,
    *,
    top: int = 5,
    batch: int = 100,
    unread: Callable[[str], None] | None = None,
) -> Iterator[Prediction]:
    """As `predict`, one prediction after another: only some images are in memory, however many there are.

    `unread` is told why an image cannot be read, and it is left out; without it such an image raises DataError.
    """
    classes = classes_of(model, names)
    if top < 1:
        raise ValueError(f"top is {top}; at least the first guess must be asked for")
    pixels = squares(images, model.clip.config.image_size, batch, unread=unread)
    scale = float(model.clip.scale)
    for files, (logits,) in batch_logits(model, pixels, [classes]):
        most, best = (part.tolist() for part in logits.softmax(-1).topk(min(top, len(classes))))
        nearest = (logits.amax(-1) / scale).tolist()
        for name, row, labels, similarity in zip(files, most, best, nearest, strict=True):
            guesses = (Guess(classes.names[label], share) for label, share in zip(labels, row, strict=True))
            yield Prediction(name, tuple(guesses), similarity)


def classes_of(model: PromptedCLIP, names: Sequence[str] | ClassNames | None) -> ClassNames:
    """Class names for the model, in the template of its training unless the names bring their own.

    Without names, those of its training. Raises ValueError for one text in place of a list, and for other wrong names.
    """
    if names is None:
        return model.classes
    if isinstance(names, ClassNames):
        return names
    if isinstance(names, str):
        raise ValueError(f"class names are a list, not one text: give [{names!r}]")
    return replace(model.classes, names=tuple(names), duplicates=False)


def image_paths(places: Iterable[str | Path]) -> list[Path]:
    """The image files in these places: files, folders (with all below them) and patterns with `*`.

    They keep the order of the places, and each is listed once. Raises DataError for a place where there is nothing,
    and for a folder without images.
    """
    found: dict[Path, None] = {}
    for place in places:
        path = Path(place)
        if path.is_dir():
            inside = [path / name for name in image_files(list_files(path))]
        elif path.exists():
            inside = [path]
        else:
            matches = glob.glob(str(place), recursive=True)  # noqa: PTH207 (the pattern may be an absolute path)
            inside = [Path(name) for name in sorted(matches) if Path(name).is_file()]
        if not inside:
            raise DataError(f"the folder {path} holds no images" if path.is_dir() else f"there is no image {path}")
        found |= dict.fromkeys(inside)
    return list(found)
