from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bmip.class_names import ClassNames
from bmip.data.dataset import ArrayImages, Chosen, Dataset, Images, Split, split_hash
from bmip.data.images import FileImages


def test_images_in_memory_are_named_by_origin_and_place() -> None:
    images = ArrayImages(torch.zeros(20, 3, 4, 4, dtype=torch.uint8), "textures/test")
    assert isinstance(images, Images)
    assert (len(images), images.name(17), images[17].shape) == (20, "textures/test/17", (3, 4, 4))


def test_taking_twice_reaches_the_first_collection(make_dataset) -> None:
    split = make_dataset([0, 1, 2, 3], None, [0]).train.take([3, 1, 0]).take([2, 0])
    assert isinstance(split.images, Chosen)
    assert isinstance(split.images.images, ArrayImages)
    assert split.labels == (0, 3)
    assert [int(split.images[index].max()) for index in range(2)] == [0, 3]
    assert [split.images.name(index) for index in range(2)] == ["toy/train/0", "toy/train/3"]


def test_every_image_needs_a_label() -> None:
    with pytest.raises(ValueError, match="2 images came with 1 label:"):
        Split(FileImages(Path(), ("a.png", "b.png")), (0,))


def test_labels_must_be_classes(make_dataset) -> None:
    with pytest.raises(ValueError, match=r"the test split has labels 5; labels run from 0 to 1"):
        make_dataset([0, 1], None, [0, 5])


def test_a_short_description(make_dataset) -> None:
    dataset = make_dataset([0] * 200 + [1], None, [1])
    assert repr(dataset) == "Dataset('toy': 2 classes (class 0, class 1), 201 train images, 1 test image)"
    assert repr(dataset.test) == "Split(1 image of 1 class)"
    for value in (FileImages(Path("here"), ("a.png",) * 100), *(split.images for split in dataset.splits().values())):
        assert len(repr(value)) < 60


def test_the_split_hash_sees_every_change(make_dataset) -> None:
    dataset: Dataset = make_dataset([0, 1, 2, 3], [0, 1], [2, 3])
    assert isinstance(dataset.train.images, ArrayImages)
    brighter = ArrayImages(dataset.train.images.pixels + 1, "toy/train")
    renamed = ClassNames(("class 0", "class 1", "class 2", "another"))
    changed = [
        make_dataset([0, 1, 3, 2], [0, 1], [2, 3]),
        make_dataset([0, 1, 2, 3], [0, 1], [2]),
        make_dataset([0, 1, 2, 3], None, [2, 3]),
        replace(dataset, classes=renamed),
        replace(dataset, train=dataset.train.take([1, 0, 2, 3])),
        replace(dataset, train=Split(brighter, dataset.train.labels)),
        replace(dataset, train=dataset.test, test=dataset.train),
    ]
    hashes = {split_hash(other) for other in (dataset, *changed)}
    assert len(hashes) == 1 + len(changed)


def test_the_split_hash_is_stable(make_dataset) -> None:
    dataset = make_dataset([0, 1], [0, 1], [0, 1])
    assert split_hash(dataset) == split_hash(replace(dataset, notes=("read me",)))
    assert split_hash(dataset) == split_hash(replace(dataset, test=dataset.test.take([0, 1])))
    assert split_hash(dataset) == "b1f0b851dba9cdf48170af8e76ef7ae97fa3dcd6ebc8fa52b8f74973be8fc0bc"


def test_files_count_by_their_name_and_not_their_place() -> None:
    def hashed(folder: str) -> str:
        split = Split(FileImages(Path(folder), ("a/1.png", "b/1.png")), (0, 1))
        return split_hash(Dataset("toy", ClassNames(("a", "b")), split, None, split))

    assert hashed("/here") == hashed("/there")
