"""Pictures to begin with, for somebody who has none at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image
from torch import Tensor

from bmip.data.dataset import Split
from bmip.data.load import load_evaluated
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.prompting.checkpoint import Description
from bmip.run_spec import folder_name

OTHERWISE = "animals"
"""The embedded data set that is shown where the one of training is not there."""

MOST = 6
SIDE = 320
"""No side of an example has more pixels."""


def example_pictures(description: Description) -> Mapping[str, bytes]:
    """PNG files by name, one for each of a few classes: test images of what the prompts were trained on.

    For data that are not on this machine, and for images that came without a place, scenes of an embedded data set.
    """
    spec, place = description.spec, description.places.get("data", "")
    if spec.data in scene_names():
        return _scenes(spec.data)
    if spec.data == "digits":
        names, split, _ = load_evaluated("digits", spec.read)
    elif place:
        try:
            own = description.places.get("class_names", spec.read.class_names)
            names, split, _ = load_evaluated(place, replace(spec.read, class_names=own))
        except ValueError:  # a DataError: they were moved, or changed
            return _scenes(OTHERWISE)
    else:
        return _scenes(OTHERWISE)
    return _first_of_each(names.names, split)


def _scenes(name: str) -> Mapping[str, bytes]:
    """Scenes like the test images, of a few classes; to draw the whole test split would take seconds."""
    scenes = load_scenes(name)
    images, labels = scenes.drawn("test", np.arange(min(MOST, len(scenes.class_names))))
    return _named([(scenes.class_names[label], image) for image, label in zip(images, labels.tolist(), strict=True)])


def _first_of_each(names: tuple[str, ...], split: Split) -> Mapping[str, bytes]:
    places: dict[int, int] = {}
    for place, label in enumerate(split.labels):
        if label not in places and len(places) < MOST:
            places[label] = place
    return _named([(names[label], split.images[place]) for label, place in places.items()])


def _named(pictures: Iterable[tuple[str, Tensor]]) -> Mapping[str, bytes]:
    """A file for each picture, called as far as can be after its class: C++ and C# give the same letters."""
    found: dict[str, bytes] = {}
    for class_name, image in pictures:
        name = folder_name(class_name)
        found[f"{name}.png" if f"{name}.png" not in found else f"{name}-{len(found) + 1}.png"] = _png(image)
    return found


def _png(pixels: Tensor) -> bytes:
    image = Image.fromarray(pixels.permute(1, 2, 0).numpy())
    image.thumbnail((SIDE, SIDE))
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
