import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from bmip.data.dataset import Images, split_hash
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import split_base_novel
from bmip.data.sources.digits import FILE
from bmip.data.transforms import centre_square


def test_the_file_is_scikit_learns() -> None:
    source = load_digits()
    with np.load(FILE) as content:
        assert content["ink"].dtype == content["label"].dtype == np.uint8
        assert (content["ink"] == source.images).all()
        assert (content["label"] == source.target).all()


def test_the_split_is_stratified_and_fixed() -> None:
    dataset = load_dataset("digits")
    assert (dataset.name, len(dataset.classes), dataset.notes) == ("digits", 10, ())
    assert dataset.val is not None
    assert set(Counter(dataset.val.labels).values()) == {50}
    assert set(Counter(dataset.test.labels).values()) == {60}
    assert sum(map(len, dataset.splits().values())) == 1797
    assert min(Counter(dataset.train.labels).values()) == 64
    assert split_hash(dataset) == "95adb3233040425eee276207f8fb064192fe7d28b7bb82b5540af6d3ff1abeac"


def test_no_pixel_changes() -> None:
    digest = hashlib.sha256()
    for split in load_dataset("digits").splits().values():
        for index in range(len(split)):
            digest.update(split.images.name(index).encode())
            digest.update(split.images[index].contiguous().numpy().tobytes())
    assert digest.hexdigest() == "e96ddc3817e48308e9fddc24961c9d034a4a8caae392a60862c94566b59c7196"


def test_images_are_the_digits_dark_on_light() -> None:
    dataset, source = load_dataset("digits"), load_digits()
    assert isinstance(dataset.test.images, Images)
    for index in (0, 100, 599):
        name = dataset.test.images.name(index)
        number = int(Path(name).stem)
        assert source.target[number] == dataset.test.labels[index]
        assert dataset.classes.names[dataset.test.labels[index]].replace(" ", "_") == Path(name).parent.name
        assert dataset.test.images[index].shape == (3, 48, 48)
        paper = centre_square(dataset.test.images[index], 8)[0].numpy()
        assert np.corrcoef(paper.ravel(), source.images[number].ravel())[0, 1] < -0.95


def test_zero_to_four_are_base_and_nothing_is_flipped() -> None:
    base, novel = split_base_novel(load_dataset("digits"))
    assert base.classes.names == ("digit zero", "digit one", "digit two", "digit three", "digit four")
    assert novel.classes.names[0] == "digit five"
    assert not base.augmentation.flip


def test_no_file_is_written(cache: Path) -> None:
    load_dataset("digits", ReadConfig(template="{}"))
    assert not cache.exists()
