import pwd
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bmip.data.batches import EvalBatches
from bmip.data.dataset import DataError, split_hash
from bmip.data.load import load_dataset
from bmip.data.names import dataset_names, embedded_names
from bmip.data.public.readers import READERS
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from bmip.data.sources.assembly import keep_split, missing_drawn
from bmip.data.sources.folder import find_folder
from bmip.data.sources.listing import Parts
from bmip.embedded.scenes.datasets import load_scenes, scene_names


def test_the_names() -> None:
    assert embedded_names() == ("digits", *scene_names())
    assert dataset_names() == (*embedded_names(), *PUBLIC)
    assert set(READERS) == set(PUBLIC)


def test_the_names_need_no_torch() -> None:
    code = "import sys, bmip.data.names, bmip.data.read_config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_set_of_scenes() -> None:
    source, dataset = load_scenes("clothes"), load_dataset("clothes")
    assert (dataset.name, dataset.classes.names) == ("clothes", source.class_names)
    assert (dataset.classes.template, dataset.classes.templates) == (source.template, source.templates)
    for part, split in dataset.splits().items():
        images, labels = source.split(part)
        assert split.labels == tuple(labels.tolist())
        assert torch.equal(split.images[17], images[17]) and split.images.name(17) == f"clothes/{part}/17"
    again = load_dataset("clothes", ReadConfig(template="{}"))
    assert again.classes.template == "{}" and split_hash(again) == split_hash(dataset)


def test_a_variant_has_test_images_alone() -> None:
    dataset = load_dataset("things-silhouette")
    assert (len(dataset.train), dataset.val) == (0, None)
    assert dataset.classes.names == load_scenes("things").class_names
    assert set(dataset.test.labels) == set(range(len(dataset.classes)))


def test_images_of_scenes_are_drawn_alike_in_every_process() -> None:
    code = """
from bmip.data.dataset import split_hash
from bmip.data.load import load_dataset
print(split_hash(load_dataset("things-v2")))
"""
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == split_hash(load_dataset("things-v2"))


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
    with pytest.raises(DataError, match=r"\(there are digits, things, .*, whurs19\)"):
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
