import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bmip.data.dataset import DataError, split_hash
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import split_base_novel
from bmip.data.sources.digits import load_digits_folder, write_digits
from bmip.data.transforms import centre_square


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("digits")
    load_digits_folder(ReadConfig(cache=str(cache)))
    return cache


def test_the_split_is_stratified_and_fixed(folder: Path) -> None:
    dataset = load_digits_folder(ReadConfig(cache=str(folder)))
    assert (dataset.name, len(dataset.classes), dataset.notes) == ("digits", 10, ())
    assert dataset.val is not None
    assert set(Counter(dataset.val.labels).values()) == {50}
    assert set(Counter(dataset.test.labels).values()) == {60}
    assert sum(map(len, dataset.splits().values())) == 1797
    assert min(Counter(dataset.train.labels).values()) == 64
    assert split_hash(dataset) == "95adb3233040425eee276207f8fb064192fe7d28b7bb82b5540af6d3ff1abeac"


def test_images_are_the_digits_dark_on_light(folder: Path) -> None:
    dataset, source = load_digits_folder(ReadConfig(cache=str(folder))), load_digits()
    for index in (0, 100, 599):
        name = dataset.test.images.name(index)
        number = int(Path(name).stem)
        assert source.target[number] == dataset.test.labels[index]
        assert dataset.classes.names[dataset.test.labels[index]].replace(" ", "_") == Path(name).parent.name
        assert dataset.test.images[index].shape == (3, 48, 48)
        paper = centre_square(dataset.test.images[index], 8)[0].numpy()
        assert np.corrcoef(paper.ravel(), source.images[number].ravel())[0, 1] < -0.95


def test_zero_to_four_are_base_and_nothing_is_flipped(folder: Path) -> None:
    base, novel = split_base_novel(load_digits_folder(ReadConfig(cache=str(folder))))
    assert base.classes.names == ("digit zero", "digit one", "digit two", "digit three", "digit four")
    assert novel.classes.names[0] == "digit five"
    assert not base.augmentation.flip


def test_they_are_written_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert len(load_digits_folder(ReadConfig(cache=str(folder))).train) == 697


def test_without_scikit_learn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"pip install 'bmip\[digits\]'"):
        load_digits_folder(ReadConfig(cache=str(tmp_path)))


def test_an_interrupted_writer_leaves_nothing_half_done(tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_digits(tmp_path / "digits", write_split=interrupted)
    assert list(tmp_path.iterdir()) == []
