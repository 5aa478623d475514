"""Data sets of Hugging Face's `datasets`, all of them local."""

import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from bmip.data.catalogue import load_dataset
from bmip.data.dataset import DataError, split_hash
from bmip.data.reading import read_image
from tests.data.test_folder import names


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'bmip\[hub\]'"):
        load_dataset("hub:someone/pets")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets as library  # only now, as it reads its settings once

    library.disable_progress_bars()
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    return library


@pytest.fixture
def rows(library: Any, picture) -> Any:
    """`rows(n)`: n pictures, the classes in turn."""

    def make(count: int, names: list[str] | None, first: int = 0) -> Any:
        def encoded(seed: int) -> dict:
            stream = BytesIO()
            picture(seed).save(stream, "PNG")
            return {"bytes": stream.getvalue(), "path": None}

        label = library.ClassLabel(names=names) if names else library.Value("string")
        features = library.Features({"image": library.Image(), "note": library.Value("string"), "label": label})
        labels = [index % 3 if names else ("c", "a", "b")[index % 3] for index in range(count)]
        table = {"image": [encoded(first + index) for index in range(count)], "note": ["x"] * count, "label": labels}
        return library.Dataset.from_dict(table, features=features)

    return make


def test_a_parquet_file(library: Any, rows: Any, tmp_path: Path, picture) -> None:
    rows(30, ["cat", "dog", "big_owl"]).to_parquet(tmp_path / "pets.parquet")
    dataset = load_dataset(f"hub:{tmp_path / 'pets.parquet'}", template="art of a {}.")
    assert (dataset.name, dataset.classes.names) == ("pets", ("cat", "dog", "big_owl"))
    assert dataset.classes.template == "art of a {}."
    assert {part: Counter(split.labels) for part, split in dataset.splits().items()} == {
        "train": {0: 5, 1: 5, 2: 5},
        "val": {0: 2, 1: 2, 2: 2},
        "test": {0: 3, 1: 3, 2: 3},
    }
    assert dataset.notes == ("pets has no validation and test splits: drawn by seed 1",)
    for split in dataset.splits().values():
        for index in range(len(split)):
            origin, _, number = split.images.name(index).rpartition("/")
            assert (origin, int(number) % 3) == ("pets/train", split.labels[index])
    number = int(dataset.test.images.name(0).rpartition("/")[2])
    picture(number).save(tmp_path / "same.png")
    assert torch.equal(dataset.test.images[0], read_image(tmp_path / "same.png"))
    again = load_dataset(f"hub:{tmp_path / 'pets.parquet'}")
    assert names(again.test) == names(dataset.test)
    assert split_hash(load_dataset(f"hub:{tmp_path / 'pets.parquet'}", seed=2)) != split_hash(again)


def test_a_saved_folder_with_splits(library: Any, rows: Any, tmp_path: Path) -> None:
    parts = {
        "train": rows(12, ["a", "b", "c"]),
        "validation": rows(3, ["a", "b", "c"]),
        "test": rows(6, ["a", "b", "c"]),
    }
    library.DatasetDict(parts).save_to_disk(tmp_path / "pets")
    dataset = load_dataset(f"hub:{tmp_path / 'pets'}", class_names={"a": "ant"})
    assert dataset.classes.names == ("ant", "b", "c")
    assert names(dataset.test) == [f"pets/test/{index}" for index in range(6)]
    assert names(dataset.val) == [f"pets/val/{index}" for index in range(3)]
    assert dataset.notes == ()


def test_a_folder_that_the_library_can_read(library: Any, rows: Any, tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    rows(6, ["a", "b", "c"]).to_parquet(tmp_path / "pets/train.parquet")
    rows(3, ["a", "b", "c"], first=50).to_parquet(tmp_path / "pets/test.parquet")
    dataset = load_dataset(f"hub:{tmp_path / 'pets'}")
    assert (len(dataset.train) + len(dataset.val or ()), len(dataset.test)) == (6, 3)
    assert dataset.test.images[0].shape == (3, 9, 12)


def test_validation_from_training(library: Any, rows: Any, tmp_path: Path) -> None:
    library.DatasetDict({"train": rows(30, None), "test": rows(6, None)}).save_to_disk(tmp_path / "pets")
    dataset = load_dataset(f"hub:{tmp_path / 'pets'}")
    assert dataset.classes.names == ("a", "b", "c")
    assert dataset.test.labels == (2, 0, 1, 2, 0, 1)
    assert dataset.val is not None
    assert (len(dataset.train), len(dataset.val)) == (24, 6)
    assert not set(names(dataset.train)) & set(names(dataset.val))


def test_validation_in_place_of_a_test(library: Any, rows: Any, tmp_path: Path) -> None:
    library.DatasetDict({"train": rows(6, None), "validation": rows(3, None)}).save_to_disk(tmp_path / "pets")
    dataset = load_dataset(f"hub:{tmp_path / 'pets'}")
    assert dataset.val is dataset.test
    assert dataset.val_is_test
    library.DatasetDict({"test": rows(3, None)}).save_to_disk(tmp_path / "targets")
    assert [len(load_dataset(f"hub:{tmp_path / 'targets'}").splits()[part]) for part in ("train", "test")] == [0, 3]


def test_what_can_be_wrong(library: Any, rows: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.parquet does not exist"):
        load_dataset("hub:absent.parquet")
    with pytest.raises(DataError, match="datasets cannot load 'nobody/nothing'"):
        load_dataset("hub:nobody/nothing")
    library.DatasetDict({"all": rows(3, None)}).save_to_disk(tmp_path / "odd")
    with pytest.raises(DataError, match="has the splits all; train, validation or test are needed"):
        load_dataset(f"hub:{tmp_path / 'odd'}")
    rows(3, None).remove_columns("label").save_to_disk(tmp_path / "unlabelled")
    with pytest.raises(DataError, match="1 of images and 0 of labels"):
        load_dataset(f"hub:{tmp_path / 'unlabelled'}")
