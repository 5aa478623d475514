import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from bmip.data.dataset import ArrayImages, DataError
from bmip.data.load import load_dataset
from bmip.data.names import dataset_names, embedded_names
from bmip.data.public.registry import PUBLIC
from bmip.embedded.world import datasets, load_world


@dataclass(frozen=True)
class SmallSet:
    """What the catalogue needs of a rendered data set."""

    name: str
    class_names: tuple[str, ...] = ("dots", "stripes", "checks", "waves")
    template: str = "a {} texture."
    templates: tuple[str, ...] = ("a photo of a {}.",)

    def split(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        count = {"train": 8, "val": 4, "test": 4}[part]
        return np.full((count, 3, 48, 48), count, dtype=np.uint8), np.arange(count) % 4


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("bmip.embedded.world")
    fake.world_names = lambda: ("textures", "signs", "glyphs")  # type: ignore[attr-defined]
    fake.load_world = SmallSet  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bmip.embedded.world", fake)


@pytest.mark.usefixtures("world")
def test_the_names() -> None:
    assert embedded_names() == ("digits", "textures", "signs", "glyphs")
    assert dataset_names() == (*embedded_names(), *PUBLIC)


@pytest.mark.usefixtures("world")
def test_a_set_of_the_world() -> None:
    dataset = load_dataset("textures")
    assert (dataset.name, dataset.classes.names) == ("textures", SmallSet.class_names)
    assert (dataset.classes.template, dataset.classes.templates) == ("a {} texture.", ("a photo of a {}.",))
    assert {part: len(split) for part, split in dataset.splits().items()} == {"train": 8, "val": 4, "test": 4}
    assert isinstance(dataset.test.images, ArrayImages)
    assert dataset.test.images.name(3) == "textures/test/3"
    assert dataset.train.labels == (0, 1, 2, 3) * 2
    assert dataset.augmentation.flip
    assert not load_dataset("glyphs").augmentation.flip
    assert load_dataset("textures", template="{}").classes.template == "{}"


@pytest.mark.usefixtures("world")
def test_the_digits(tmp_path: Path) -> None:
    assert load_dataset("digits", cache=tmp_path, template="{}").classes.template == "{}"


@pytest.mark.usefixtures("world")
def test_a_folder(make_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder("digits", {"cat": 4, "dog": 4})
    dataset = load_dataset(str(folder), seed=3, template="art of a {}.", class_names={"cat": "tiger"})
    assert (dataset.classes.names, dataset.classes.template) == (("tiger", "dog"), "art of a {}.")
    monkeypatch.chdir(folder.parent)
    assert load_dataset("./digits").classes.names == ("cat", "dog")
    assert load_dataset("./digits").name == "digits"


@pytest.mark.usefixtures("world")
def test_unknown_names_and_missing_folders() -> None:
    with pytest.raises(DataError, match=r"'texture' is neither a data set \(textures\) nor a folder"):
        load_dataset("texture")
    with pytest.raises(DataError, match=r"\(digits, textures, signs, glyphs\)"):
        load_dataset("xyz")
    with pytest.raises(DataError, match="pictures/pets does not exist"):
        load_dataset("pictures/pets")


@pytest.mark.usefixtures("world")
def test_class_names_are_for_folders() -> None:
    with pytest.raises(DataError, match="'textures' has its own class names"):
        load_dataset("textures", class_names=["a"])


@pytest.mark.parametrize(("name", "flip"), [("textures", True), ("glyphs", False), ("relations", False)])
def test_the_real_world_fits(name: str, flip: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the drawing, which takes seconds."""
    blank = torch.zeros(1, 3, 48, 48, dtype=torch.uint8)
    monkeypatch.setattr(datasets.WorldSet, "_render", lambda self, part, labels: blank.expand(len(labels), -1, -1, -1))
    dataset = load_dataset(name)
    source = load_world(name)
    assert name in dataset_names()
    assert (dataset.classes.names, dataset.classes.template) == (source.class_names, source.template)
    assert dataset.augmentation.flip == flip
    for split in dataset.splits().values():
        assert set(split.labels) == set(range(len(dataset.classes)))
        assert split.images[0].shape == (3, 48, 48)
