"""Data sets of Hugging Face's `datasets`, all of them local."""

import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from bmip.data.dataset import DataError, split_hash
from bmip.data.images import read_image
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from tests.data.sources.test_folder import names


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


@pytest.fixture
def spoiled(library: Any, rows: Any, tmp_path: Path) -> Any:
    """`spoiled({2: {"image": None}})`: a parquet file of 30 pictures in three classes, some of its rows changed."""

    def make(changes: dict[int, dict[str, Any]], classes: list[str] | None) -> str:
        table = rows(30, classes)
        columns = table.cast_column("image", library.Image(decode=False)).to_dict()
        for row, change in changes.items():
            for column, value in change.items():
                columns[column][row] = value
        library.Dataset.from_dict(columns, features=table.features).to_parquet(tmp_path / "pets.parquet")
        return f"hub:{tmp_path / 'pets.parquet'}"

    return make


def test_a_parquet_file(library: Any, rows: Any, tmp_path: Path, picture) -> None:
    rows(30, ["cat", "dog", "big_owl"]).to_parquet(tmp_path / "pets.parquet")
    dataset = load_dataset(f"hub:{tmp_path / 'pets.parquet'}", ReadConfig(template="art of a {}."))
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
    assert split_hash(load_dataset(f"hub:{tmp_path / 'pets.parquet'}", ReadConfig(split_seed=2))) != split_hash(again)
    rows(30, ["cat", "dog", "big_owl"], first=1).to_parquet(tmp_path / "pets.parquet")
    others = load_dataset(f"hub:{tmp_path / 'pets.parquet'}")
    assert names(others.test) == names(again.test) and split_hash(others) != split_hash(again), "other images"


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


@pytest.mark.parametrize("parts", [("validation",), ("validation", "test")])
def test_without_a_training_split_there_is_only_something_to_judge(
    library: Any, rows: Any, tmp_path: Path, parts: tuple[str, ...]
) -> None:
    library.DatasetDict({part: rows(len(part), None) for part in parts}).save_to_disk(tmp_path / "pets")
    dataset = load_dataset(f"hub:{tmp_path / 'pets'}")
    assert (len(dataset.train), dataset.val, len(dataset.test)) == (0, None, len(parts[-1]))
    assert dataset.notes == ("pets has no test split: its validation split is used as the test split",) * (
        "test" not in parts
    )


def test_what_can_be_wrong(library: Any, rows: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent.parquet does not exist"):
        load_dataset("hub:absent.parquet")
    with pytest.raises(DataError, match="datasets cannot load 'nobody/nothing'"):
        load_dataset("hub:nobody/nothing")
    library.DatasetDict({"all": rows(3, None)}).save_to_disk(tmp_path / "odd")
    with pytest.raises(DataError, match="has the splits all; train, validation or test are needed"):
        load_dataset(f"hub:{tmp_path / 'odd'}")
    rows(3, None).remove_columns("label").save_to_disk(tmp_path / "unlabelled")
    with pytest.raises(DataError, match=r"no column of labels, among image, note: choose one with --label-column"):
        load_dataset(f"hub:{tmp_path / 'unlabelled'}")


@pytest.mark.parametrize(
    ("values", "told"), [([["x"], ["x", "y"], []], r"is \['x'\], a list"), ([0.0, 1.0, 2.0], "is 0.0, a float")]
)
def test_labels_that_are_no_words_or_numbers(library: Any, rows: Any, tmp_path: Path, values: list, told: str) -> None:
    many = library.Dataset.from_dict({"labels": [values[index % 3] for index in range(30)]})
    table = library.concatenate_datasets([rows(30, None).remove_columns("label"), many], axis=1)
    table.to_parquet(tmp_path / "pets.parquet")
    with pytest.raises(DataError, match=rf"a label {told}; a word or a whole number is needed .*--label-column NAME"):
        load_dataset(f"hub:{tmp_path / 'pets.parquet'}")


def test_several_columns_of_labels(library: Any, rows: Any, tmp_path: Path) -> None:
    table = rows(30, ["a", "b", "c"])
    coarse = library.Dataset.from_dict(
        {"kind": [index % 2 for index in range(30)]},
        features=library.Features({"kind": library.ClassLabel(names=["x", "y"])}),
    )
    library.concatenate_datasets([table, coarse], axis=1).to_parquet(tmp_path / "pets.parquet")
    place = f"hub:{tmp_path / 'pets.parquet'}"
    with pytest.raises(DataError, match=r"several columns of labels, label, kind, among .*--label-column NAME"):
        load_dataset(place)
    assert load_dataset(place, ReadConfig(label_column="kind")).classes.names == ("x", "y")
    assert load_dataset(place, ReadConfig(label_column="label")).classes.names == ("a", "b", "c")
    assert load_dataset(place, ReadConfig(label_column="note")).classes.names == ("x",)
    for wrong in ("kin", "image"):
        with pytest.raises(DataError, match=f"no column of labels '{wrong}'"):
            load_dataset(place, ReadConfig(label_column=wrong))


@pytest.mark.parametrize("classes", [["a", "b", "c"], None])
def test_rows_without_an_image_or_a_label(spoiled: Any, classes: list[str] | None) -> None:
    changes = {2: {"image": None}, 7: {"label": None}, 11: {"label": None if classes is None else -1}}
    place = spoiled(changes, classes)
    found = "pets/train/2 has no image, pets/train/7 has no label, pets/train/11 has no label"
    with pytest.raises(DataError, match=rf"pets has 3 rows without .*\({found}\).*--skip-bad-images"):
        load_dataset(place)
    dataset = load_dataset(place, ReadConfig(skip_bad_images=True))
    assert dataset.skipped == tuple(found.split(", "))
    assert dataset.remarks()[-1] == f"skipped: {dataset.skipped[-1]}"
    kept = {name for split in dataset.splits().values() for name in names(split)}
    assert kept == {f"pets/train/{row}" for row in range(30)} - {f"pets/train/{row}" for row in changes}
    assert dataset.classes.names == ("a", "b", "c")


def test_images_that_cannot_be_read(spoiled: Any, tmp_path: Path, picture) -> None:
    picture(1).save(tmp_path / "whole.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "whole.png").read_bytes()[:200])
    place = spoiled(
        {
            4: {"image": {"bytes": (tmp_path / "broken.png").read_bytes(), "path": None}},
            5: {"image": {"bytes": b"", "path": None}},
            6: {"image": {"bytes": None, "path": str(tmp_path / "broken.png")}},
        },
        None,
    )
    assert sum(map(len, load_dataset(place).splits().values())) == 30
    skipped = load_dataset(place, ReadConfig(skip_bad_images=True)).skipped
    assert [reason.split()[0].rstrip(":") for reason in skipped] == ["pets/train/4", "pets/train/5", "pets/train/6"]
    assert "pets/train/4 cannot be read" in skipped[0]
    assert "pets/train/5 is empty" in skipped[1]


def test_the_check_decodes_every_image(spoiled: Any, capfd: pytest.CaptureFixture[str]) -> None:
    from bmip.cli import main

    assert main(["data", "check", spoiled({}, None), "--shots", "0"]) == 0
    broken = {3: {"image": {"bytes": b"GIF89a", "path": None}}}
    assert main(["data", "check", spoiled(broken, None), "--shots", "0"]) == 1
    assert "fault: pets/train/3 is not an image" in capfd.readouterr().out


def test_a_split_without_labels(library: Any, rows: Any, tmp_path: Path) -> None:
    hidden = rows(6, ["a", "b", "c"]).map(lambda row: {"label": -1})
    library.DatasetDict({"train": rows(30, ["a", "b", "c"]), "test": hidden}).save_to_disk(tmp_path / "pets")
    with pytest.raises(DataError, match="pets has 6 rows without an image or a label"):
        load_dataset(f"hub:{tmp_path / 'pets'}")
    with pytest.raises(DataError, match=r"pets has no usable images in its test split \(pets/test/0 has no label"):
        load_dataset(f"hub:{tmp_path / 'pets'}", ReadConfig(skip_bad_images=True))


def test_the_same_image_in_two_splits_is_noted(library: Any, rows: Any, tmp_path: Path) -> None:
    parts = {"train": rows(12, ["a", "b", "c"]), "validation": rows(3, ["a", "b", "c"], first=50)}
    library.DatasetDict({**parts, "test": rows(6, ["a", "b", "c"], first=10)}).save_to_disk(tmp_path / "pets")
    assert load_dataset(f"hub:{tmp_path / 'pets'}").notes == ()
    shared = "pets has 2 images in two of its splits (pets/train/10 = pets/test/0, pets/train/11 = pets/test/1)"
    assert load_dataset(f"hub:{tmp_path / 'pets'}", ReadConfig(skip_bad_images=True)).notes == (shared,)
    library.DatasetDict(parts).save_to_disk(tmp_path / "judged")  # on its validation split, which is no copy
    assert len(load_dataset(f"hub:{tmp_path / 'judged'}", ReadConfig(skip_bad_images=True)).notes) == 1
