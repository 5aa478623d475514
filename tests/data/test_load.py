import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bmip.data.dataset import ArrayImages, DataError
from bmip.data.load import load_dataset
from bmip.data.names import dataset_names, embedded_names
from bmip.data.public.readers import READERS
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from bmip.data.sources.embedded import embedded_dataset
from bmip.embedded.world import load_world, world_names


@dataclass(frozen=True)
class Rendered:
    """What is needed of a rendered data set, with grey images."""

    name: str
    class_names: tuple[str, ...] = ("dots", "stripes", "checks", "waves")
    template: str = "a {} texture."
    templates: tuple[str, ...] = ("a photo of a {}.",)

    def split(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        count = len(self.class_names) * {"train": 2, "val": 1, "test": 1}[part]
        return np.full((count, 3, 48, 48), count, dtype=np.uint8), np.arange(count) % len(self.class_names)


def test_the_names() -> None:
    assert embedded_names() == ("digits", *world_names())
    assert dataset_names() == (*embedded_names(), *PUBLIC)
    assert set(READERS) == set(PUBLIC)


def test_the_names_need_no_torch() -> None:
    code = "import sys, bmip.data.names, bmip.data.read_config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_set_of_the_world() -> None:
    dataset = embedded_dataset(Rendered("textures"))
    assert (dataset.name, dataset.classes.names) == ("textures", Rendered.class_names)
    assert (dataset.classes.template, dataset.classes.templates) == ("a {} texture.", ("a photo of a {}.",))
    assert {part: len(split) for part, split in dataset.splits().items()} == {"train": 8, "val": 4, "test": 4}
    assert isinstance(dataset.test.images, ArrayImages)
    assert dataset.test.images.name(3) == "textures/test/3"
    assert dataset.train.labels == (0, 1, 2, 3) * 2
    assert embedded_dataset(Rendered("textures"), "{}").classes.template == "{}"


def test_the_digits(tmp_path: Path) -> None:
    assert load_dataset("digits", ReadConfig(cache=str(tmp_path), template="{}")).classes.template == "{}"


def test_a_folder(make_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder("digits", {"cat": 4, "dog": 4})
    dataset = load_dataset(str(folder), ReadConfig(split_seed=3, template="art of a {}."), class_names={"cat": "tiger"})
    assert (dataset.classes.names, dataset.classes.template) == (("tiger", "dog"), "art of a {}.")
    monkeypatch.chdir(folder.parent)
    assert load_dataset("./digits").classes.names == ("cat", "dog")
    assert load_dataset("./digits").name == "digits"


def test_unknown_names_and_missing_folders() -> None:
    with pytest.raises(DataError, match=r"'texture' is neither a data set \(did you mean 'textures'\?\) nor a folder"):
        load_dataset("texture")
    with pytest.raises(DataError, match=r"\(there are digits, shapes, .*, whurs19\)"):
        load_dataset("xyz")
    with pytest.raises(DataError, match="pictures/pets does not exist"):
        load_dataset("pictures/pets")


def test_class_names_are_for_folders() -> None:
    with pytest.raises(DataError, match="'textures' has its own class names"):
        load_dataset("textures", class_names=["a"])


@pytest.mark.parametrize(("name", "flip"), [("textures", True), ("glyphs", False), ("relations", False)])
def test_the_real_world_fits(name: str, flip: bool) -> None:
    """All but the drawing, which takes seconds."""
    source = load_world(name)
    dataset = embedded_dataset(Rendered(name, source.class_names, source.template, source.templates))
    assert (dataset.classes.names, dataset.classes.template) == (source.class_names, source.template)
    assert dataset.augmentation.flip == flip
    for split in dataset.splits().values():
        assert set(split.labels) == set(range(len(dataset.classes)))
        assert split.images[0].shape == (3, 48, 48)
