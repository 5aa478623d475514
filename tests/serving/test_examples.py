"""The pictures to begin with: of what the prompts were trained on where that is there, else of an embedded data set."""

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from bmip.embedded.scenes.datasets import load_scenes
from bmip.prompting.checkpoint import Description
from bmip.prompting.model import PromptedCLIP
from bmip.serving.examples import example_pictures
from bmip.testing.tiny import COLOURS
from tests.small import photo_folder


def described(model: PromptedCLIP, data: str, place: Path | None = None) -> Description:
    known = model.described()
    places = {} if place is None else {"data": str(place)}
    return replace(known, spec=replace(known.spec, data=data, backbone="embedded"), places=places)


def test_scenes_of_the_data_set_of_training(model: PromptedCLIP) -> None:
    found = example_pictures(described(model, "food"))
    names = [name.replace(" ", "-") for name in load_scenes("food").class_names[:6]]
    assert list(found) == [f"{name}.png" for name in names]
    assert all(Image.open(BytesIO(file)).size == (48, 48) for file in found.values())


def test_ones_own_images_and_what_is_shown_when_they_are_gone(model: PromptedCLIP, tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos", images=3)
    found = example_pictures(described(model, "photos", photos))
    assert set(found) == {f"{name}.png" for name in COLOURS}
    for name, file in found.items():
        colour = np.array(Image.open(BytesIO(file))).mean((0, 1))
        assert np.abs(colour - COLOURS[name.removesuffix(".png")]).max() < 15
    for place, name in enumerate(("C++", "C#", "C--")):
        (tmp_path / "languages" / name).mkdir(parents=True)
        for index in range(2):
            shutil.copy(photos / list(COLOURS)[place] / f"{index:02}.png", tmp_path / "languages" / name)
    assert len(example_pictures(described(model, "languages", tmp_path / "languages"))) == 3
    photos.rename(tmp_path / "moved")
    animals = example_pictures(described(model, "photos", photos))
    assert len(animals) == 6 and animals == example_pictures(described(model, ""))
    assert not list(tmp_path.rglob("*.json"))  # nothing is written beside the images
