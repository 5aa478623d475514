import builtins
import hashlib
import json
import os
import pickle
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from bmip.data.dataset import DataError, Dataset, Split, split_hash
from bmip.data.images import FileImages
from bmip.data.sampling import sample_few_shot, split_base_novel
from bmip.data.shots import read_shots, shots_hash, write_shots
from tests.data.test_sampling import items, toy

MODULE = "dassl.data.datasets.base_dataset"


class Datum:
    """Dassl's, under its own name."""

    def __init__(self, impath: str, label: int, classname: str) -> None:
        self._impath, self._label, self._domain, self._classname = impath, label, 0, classname


@pytest.fixture
def dassl(monkeypatch: pytest.MonkeyPatch) -> Iterator[type]:
    """Pickles written in here look as if Dassl had written them."""
    for name in ("dassl", "dassl.data", "dassl.data.datasets", MODULE):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules[MODULE], "Datum", Datum, raising=False)
    monkeypatch.setattr(Datum, "__module__", MODULE)
    yield Datum


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    whole = toy([0, 1, 2, 3] * 6, [0, 1, 2, 3] * 3, [0, 1, 2, 3])
    return replace(whole, stored_shots=tmp_path)


def stored(split: Split, indices: list[int], below: str = "/home/someone/data/toy/images/") -> list[Datum]:
    return [Datum(below + split.images.name(index), split.labels[index], "name") for index in indices]


def keep(dataset: Dataset, content: object, shots: int = 2, seed: int = 1, protocol: int = 5) -> Path:
    assert dataset.stored_shots is not None
    file = dataset.stored_shots / f"shot_{shots}-seed_{seed}.pkl"
    file.write_bytes(pickle.dumps(content, protocol))
    return file


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("below", ["/home/someone/data/toy/images/", "C:\\data\\", ""])
def test_a_stored_draw_replaces_ones_own(dassl: type, dataset: Dataset, protocol: int, below: str) -> None:
    train, val = [17, 4, 5, 8, 2, 14, 3, 23], [11, 0, 5, 2]
    assert dataset.val is not None
    content = {"train": stored(dataset.train, train, below), "val": stored(dataset.val, val, below)}
    file = keep(dataset, content, protocol=protocol)
    drawn = sample_few_shot(dataset, 2, 1)
    assert items(drawn.train) == [(f"train/{index}", dataset.train.labels[index]) for index in train]
    assert items(drawn.val) == [(f"val/{index}", dataset.val.labels[index]) for index in val]
    assert drawn.notes == (f"the shots are those that were stored in {file}",)
    other = sample_few_shot(dataset, 2, 2)
    assert other.notes == ()
    assert items(other.train) == items(sample_few_shot(replace(dataset, stored_shots=None), 2, 2).train)


def test_imagenet_stores_training_images_only(dassl: type, dataset: Dataset) -> None:
    shared = replace(dataset, val=dataset.test, val_is_test=True)
    keep(shared, {"train": stored(shared.train, [3, 2, 1, 0])}, shots=1)
    drawn = sample_few_shot(shared, 1, 1)
    assert len(drawn.train) == 4
    assert drawn.val is dataset.test


def test_halves_do_not_look_for_stored_draws(dassl: type, dataset: Dataset) -> None:
    keep(dataset, {"train": stored(dataset.train, [3, 2, 1, 0]), "val": []})
    base, _ = split_base_novel(dataset)
    assert base.stored_shots is None


def test_the_split_hash_sees_stored_draws(dassl: type, dataset: Dataset) -> None:
    before = split_hash(dataset)
    assert before == split_hash(replace(dataset, stored_shots=None))
    file = keep(dataset, {"train": stored(dataset.train, [3]), "val": []})
    with_one = split_hash(dataset)
    file.write_bytes(file.read_bytes() + b".")
    assert len({before, with_one, split_hash(dataset)}) == 3


# what must not be read


class Evil:
    def __init__(self, function, *given: object) -> None:
        self.call = function, given

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (os.system, ("touch touched",)),
        (builtins.eval, ("open('touched', 'w')",)),
        (getattr, (os, "system")),
        (hashlib.sha256, (b"",)),
        (Path, ("x",)),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_nothing_is_called(
    dataset: Dataset, function, given: tuple, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = Evil(function, *given) if given[0] is not os else Evil(getattr, "text", "upper")
    keep(dataset, {"train": [evil]}, protocol=protocol)
    with pytest.raises(DataError, match=r"is no few-shot draw \(it names .*, and only lists of images are read\)"):
        sample_few_shot(dataset, 2, 1)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    "content", [[1, 2], {"val": []}, {"train": 3}, {"train": [{"_impath": "train/0"}]}, {"train": [["train/0", 0]]}]
)
def test_other_pickles(dataset: Dataset, content: object) -> None:
    keep(dataset, content)
    with pytest.raises(DataError, match=r"(holds no list of training images|holds something that is no image)"):
        sample_few_shot(dataset, 2, 1)


def test_damaged_pickles(dassl: type, dataset: Dataset) -> None:
    file = keep(dataset, {"train": stored(dataset.train, [0])})
    whole = file.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"\x80\x09" + whole[2:]):
        file.write_bytes(content)
        with pytest.raises(DataError, match="is no few-shot draw"):
            read_shots(dataset, file)


def test_a_pickle_cannot_change_what_later_ones_are_read_with(dassl: type, dataset: Dataset) -> None:
    """The opcodes that set attributes, applied to the class instead of an object."""
    name = b"\x8c\x20dassl.data.datasets.base_dataset\x94\x8c\x05Datum\x94\x93\x94"
    state = b"N}\x8c\x06_labelK\x00s\x86b."
    file = keep(dataset, {})
    file.write_bytes(b"\x80\x04" + name + state)
    with pytest.raises(DataError):
        read_shots(dataset, file)
    datum = stored(dataset.train, [0])[0]
    del datum._label
    keep(dataset, {"train": [datum]})
    with pytest.raises(DataError, match="holds something that is no image"):
        sample_few_shot(dataset, 2, 1)


def test_incomplete_entries(dassl: type, dataset: Dataset) -> None:
    datum = stored(dataset.train, [0])[0]
    del datum._label
    keep(dataset, {"train": [datum]})
    with pytest.raises(DataError, match="holds something that is no image"):
        sample_few_shot(dataset, 2, 1)


def test_a_draw_from_another_split(dassl: type, dataset: Dataset) -> None:
    keep(dataset, {"train": [Datum("/data/train/99", 0, "a")]})
    with pytest.raises(DataError, match="belongs to another split: /data/train/99 is not there in the train split"):
        sample_few_shot(dataset, 2, 1)
    keep(dataset, {"train": [Datum("/data/train/3", 0, "a")]})
    with pytest.raises(DataError, match="train/3 has label 3, not 0"):
        sample_few_shot(dataset, 2, 1)


WHOLE = [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("train", "val", "message"),
    [
        ([*WHOLE, 0], [], "train holds .*train/0 more than once"),
        ([], [], "train holds 0 images of 'class 0', and 2 are needed"),
        (WHOLE[:-1], [0, 1, 2, 3], "train holds 1 images of 'class 3', and 2 are needed"),
        ([*WHOLE, 8], [0, 1, 2, 3], "train holds 3 images of 'class 0', and 2 are needed"),
        (WHOLE, [], "val holds 0 images of 'class 0', and 1 to 2 are needed"),
        (WHOLE, [0, 1, 2, 3, 3], "val holds .*val/3 more than once"),
        (WHOLE, [0, 1, 2, 3, 4, 8], "val holds 3 images of 'class 0', and 1 to 2 are needed"),
    ],
)
def test_not_the_shots_that_the_name_says(
    dassl: type, dataset: Dataset, train: list[int], val: list[int], message: str
) -> None:
    assert dataset.val is not None
    file = keep(dataset, {"train": stored(dataset.train, train), "val": stored(dataset.val, val)})
    with pytest.raises(DataError, match=f"shot_2-seed_1.pkl: {message}.*: delete it to have the shots drawn anew"):
        sample_few_shot(dataset, 2, 1)
    assert file.exists()


def test_a_class_with_fewer_images_gives_all(dassl: type, tmp_path: Path) -> None:
    rare = replace(toy([0, 1, 1, 1], [0, 1], [0, 1]), stored_shots=tmp_path)
    assert rare.val is not None
    keep(rare, {"train": stored(rare.train, [0, 3, 1]), "val": stored(rare.val, [0, 1])})
    assert items(sample_few_shot(rare, 2, 1).train) == [("train/0", 0), ("train/3", 1), ("train/1", 1)]


# JSON lines


def test_a_written_draw_can_be_checked_by_others(dataset: Dataset, tmp_path: Path) -> None:
    drawn = sample_few_shot(dataset, 3, 1)
    write_shots(drawn, tmp_path / "new" / "shots.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "new" / "shots.jsonl").read_text().splitlines()]
    for part in ("train", "val"):
        listed = [(line["path"], line["label"]) for line in lines if line["split"] == part]
        assert listed == items(drawn.splits()[part])
    assert lines[0]["class"] == drawn.classes.names[lines[0]["label"]]
    assert len(lines) == 24
    assert shots_hash(drawn) == hashlib.sha256((tmp_path / "new" / "shots.jsonl").read_bytes()).hexdigest()
    assert shots_hash(sample_few_shot(dataset, 3, 2)) != shots_hash(drawn)


def test_a_test_split_that_validates_is_no_shot() -> None:
    split = Split(FileImages(Path(), ("a", "b")), (0, 1))
    shared = replace(toy([0, 1], [], [0, 1]), val=split, val_is_test=True)
    assert shots_hash(shared) == shots_hash(toy([0, 1], [], [0, 1]))
