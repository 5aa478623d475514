import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bmip.data.batches import EvalBatches
from bmip.data.dataset import ArrayImages, DataError
from bmip.data.load import load_dataset
from bmip.data.names import dataset_names, embedded_names
from bmip.data.public.readers import READERS
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from bmip.data.sources.assembly import keep_split, missing_drawn
from bmip.data.sources.embedded import embedded_dataset
from bmip.data.sources.folder import find_folder
from bmip.data.sources.listing import Parts
from bmip.embedded.world import load_world, world_names


@dataclass(frozen=True)
class Rendered:
    """What is needed of a rendered data set, with grey images."""

    name: str
    class_names: tuple[str, ...] = ("dots", "stripes", "checks", "waves")
    template: str = "a {} texture."
    templates: tuple[str, ...] = ("a photo of a {}.",)

    def split(self, part: str, cache: Path | None) -> tuple[np.ndarray, np.ndarray]:
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


def test_the_digits() -> None:
    assert load_dataset("digits", ReadConfig(template="{}")).classes.template == "{}"


def test_a_folder(make_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder("digits", {"cat": 4, "dog": 4})
    dataset = load_dataset(str(folder), ReadConfig(split_seed=3, template="art of a {}."), class_names={"cat": "tiger"})
    assert (dataset.classes.names, dataset.classes.template) == (("tiger", "dog"), "art of a {}.")
    monkeypatch.chdir(folder.parent)
    assert load_dataset("./digits").classes.names == ("cat", "dog")
    assert load_dataset("./digits").name == "digits"
    assert load_dataset(Path("digits")).classes.names == ("cat", "dog")
    assert load_dataset(folder).name == "digits"


def test_unknown_names_and_missing_folders() -> None:
    with pytest.raises(DataError, match=r"'texture' is neither a data set \(did you mean 'textures'\?\) nor a folder"):
        load_dataset("texture")
    with pytest.raises(DataError, match=r"\(there are digits, shapes, .*, whurs19\)"):
        load_dataset("xyz")
    with pytest.raises(DataError, match="pictures/pets does not exist"):
        load_dataset("pictures/pets")


def test_what_is_no_name() -> None:
    """In a process of its own: here the types of all arguments are checked before the call."""
    code = """
import bmip
for call in (
    lambda: bmip.load_dataset(3),
    lambda: bmip.load_dataset("pets", class_names=[1, 2]),
    lambda: bmip.load_dataset("pets", class_names=3),
    lambda: bmip.ClassNames(["cat", 3]),
    lambda: bmip.ClassNames(3),
):
    try:
        call()
    except ValueError as error:
        print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()
    assert found == [
        "3 is neither the name of a data set nor a path: give a text or a Path",
        "1 is among the class names: each must be a text",
        "class names are a list of texts, and 3 is none",
        "3 is among the class names: each must be a text",
        "class names are a list of texts, and 3 is none",
    ]


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


def test_without_a_cache_the_work_goes_on(make_folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that cannot be written to, and one that nobody knows."""
    monkeypatch.chdir(make_folder("pets", {"cat": 4, "dog": 4}).parent)
    (tmp_path / "taken").write_text("a file where the cache should be")
    before = sorted(tmp_path.rglob("*"))
    dataset = load_dataset("pets", ReadConfig(cache="taken/bmip"))
    (note,) = dataset.notes
    assert note.startswith("nothing can be written to the cache") and "taken/bmip" in note
    assert load_dataset("pets", ReadConfig(cache_images=False)).notes == ()
    for variable in ("BMIP_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    assert len(load_dataset("pets").notes) == 1
    assert {*tmp_path.rglob("*")}.difference(before) == {tmp_path / "pets/split.json"}
    assert len(list(EvalBatches(dataset.test, 8))) > 0


def test_a_split_that_can_be_kept_nowhere_is_drawn_each_time(make_folder) -> None:
    def refusing(parts: Parts, file: Path, note: str) -> None:
        raise OSError(28, "No space left on device", str(file))

    folder = make_folder("pets", {"cat": 6, "dog": 6})
    source = find_folder(folder, None)
    assert source.split_files == (folder / "split.json",)
    file, (note,) = keep_split(missing_drawn(source.listing.parts, seed=3), source.split_files, write=refusing)
    assert file is None
    assert note == f"nothing can be written to {folder}; its split is drawn anew each time"
