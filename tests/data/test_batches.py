import os
import threading
from pathlib import Path

import pytest
import torch

from bmip.data.batches import EvalBatches, TrainBatches, ahead
from bmip.data.dataset import ArrayImages, DataError, Split
from bmip.data.images import FileImages
from bmip.data.transforms import Augmentation, centre_square


class Counted:
    """Images of different sizes that say how often each was decoded."""

    def __init__(self, count: int) -> None:
        self.reads = [0] * count
        generator = torch.Generator().manual_seed(0)
        self.images = [torch.randint(256, (3, 9 + i, 12), generator=generator, dtype=torch.uint8) for i in range(count)]
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int, /) -> torch.Tensor:
        with self.lock:
            self.reads[index] += 1
        return self.images[index]

    def name(self, index: int) -> str:
        return f"counted/{index}"


def split(count: int) -> tuple[Counted, Split]:
    images = Counted(count)
    return images, Split(images, tuple(range(count)))


def same(one, other) -> bool:
    one, other = list(one), list(other)
    return len(one) == len(other) and all(
        torch.equal(labels, others) and all(map(torch.equal, views, more))
        for (views, labels), (more, others) in zip(one, other, strict=True)
    )


def test_an_epoch_depends_on_seed_and_number_alone() -> None:
    _, data = split(10)
    fresh = TrainBatches(data, 8, 4, data_seed=1)
    used = TrainBatches(data, 8, 4, data_seed=1)
    list(used.epoch(0))
    assert same(used.epoch(3), fresh.epoch(3))
    assert not same(fresh.epoch(3), fresh.epoch(4))
    assert not same(fresh.epoch(3), TrainBatches(data, 8, 4, data_seed=2).epoch(3))


def test_global_generators_are_neither_read_nor_moved() -> None:
    _, data = split(6)
    batches = TrainBatches(data, 8, 4, data_seed=1)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    one = list(batches.epoch(0))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert same(one, batches.epoch(0))


@pytest.mark.parametrize(
    ("images", "batch", "batches", "seen"), [(10, 4, 2, 8), (8, 4, 2, 8), (3, 4, 1, 3), (1, 1, 1, 1)]
)
def test_the_last_incomplete_batch_is_dropped_if_there_is_a_full_one(
    images: int, batch: int, batches: int, seen: int
) -> None:
    _, data = split(images)
    loader = TrainBatches(data, 8, batch, data_seed=1)
    labels = [label for _, chosen in loader.epoch(0) for label in chosen.tolist()]
    assert (len(loader), len(list(loader.epoch(0)))) == (batches, batches)
    assert len(labels) == len(set(labels)) == seen


def test_the_order_changes_from_epoch_to_epoch() -> None:
    _, data = split(12)
    loader = TrainBatches(data, 8, 12, data_seed=1)
    orders = {tuple(labels.tolist()) for number in range(5) for _, labels in loader.epoch(number)}
    assert len(orders) == 5
    assert all(sorted(order) == list(range(12)) for order in orders)


def test_views_are_augmented_each_in_its_own_way() -> None:
    _, data = split(6)
    ((views, labels),) = TrainBatches(data, 8, 6, 1, views=2).epoch(0)
    assert [(view.shape, view.dtype) for view in views] == [((6, 3, 8, 8), torch.uint8)] * 2
    assert labels.dtype == torch.int64
    assert not torch.equal(*views)


def test_labels_stay_with_their_images() -> None:
    pixels = torch.arange(20, dtype=torch.uint8).view(-1, 1, 1, 1).expand(20, 3, 6, 6).contiguous()
    data = Split(ArrayImages(pixels, "toy/train"), tuple(range(20)))
    for (view,), labels in TrainBatches(data, 8, 4, 1).epoch(0):
        assert torch.equal(view[:, 0, 3, 3].long(), labels)
    for squares, labels in EvalBatches(data, 8, 3):
        assert torch.equal(squares[:, 0, 3, 3].long(), labels)


def test_training_images_are_decoded_once_while_there_is_room() -> None:
    images, data = split(6)
    roomy = TrainBatches(data, 8, 2, 1)
    kept = [list(roomy.epoch(number)) for number in range(3)]
    assert images.reads == [1] * 6
    images.reads = [0] * 6
    tight = TrainBatches(data, 8, 2, 1, held_bytes=1000)
    again = [list(tight.epoch(number)) for number in range(3)]
    assert sorted(images.reads) == [1, 1, 3, 3, 3, 3]
    assert all(map(same, kept, again))


def test_no_flip_without_leave() -> None:
    pixels = torch.zeros(8, 3, 8, 8, dtype=torch.uint8)
    pixels[..., 4:] = 255
    data = Split(ArrayImages(pixels, "toy/train"), (0,) * 8)
    plain = Augmentation(scale=(1.0, 1.0), ratio=(1.0, 1.0), flip=False)
    for (view,), _ in TrainBatches(data, 8, 4, 1, augmentation=plain).epoch(0):
        assert torch.equal(view, pixels[:4])


def test_judging_goes_through_all_images_in_order_and_decodes_once() -> None:
    images, data = split(7)
    batches = EvalBatches(data, 8, 3)
    for _ in range(2):
        passed = list(batches)
        assert [len(labels) for _, labels in passed] == [3, 3, 1] and len(batches) == 3
        assert torch.cat([labels for _, labels in passed]).tolist() == list(range(7))
        expected = torch.stack([centre_square(image, 8) for image in images.images])
        assert torch.equal(torch.cat([squares for squares, _ in passed]), expected)
    assert images.reads == [1] * 7


def test_large_splits_stream() -> None:
    images, data = split(7)
    batches = EvalBatches(data, 8, 3, held_bytes=100)
    assert [len(list(batches)), len(list(batches))] == [3, 3]
    assert images.reads == [2] * 7


def test_a_pass_that_is_broken_off_leaves_nothing_behind() -> None:
    _, data = split(7)
    batches = EvalBatches(data, 8, 3)
    next(iter(batches))
    assert [len(labels) for _, labels in batches] == [3, 3, 1]


def test_an_error_while_decoding_arrives() -> None:
    data = Split(FileImages(Path("nowhere"), ("a.png",)), (0,))
    with pytest.raises(DataError, match=r"a\.png does not exist"):
        list(EvalBatches(data, 8))


def test_nothing_to_train_on() -> None:
    with pytest.raises(DataError, match="no images to train on"):
        TrainBatches(split(0)[1], 8, 4, 1)
    assert list(EvalBatches(split(0)[1], 8)) == []


@pytest.mark.parametrize("wrong", [{"size": 0}, {"batch": 0}, {"views": 0}])
def test_sizes_start_at_one(wrong: dict) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        TrainBatches(split(2)[1], **{"size": 8, "batch": 2, "data_seed": 1, **wrong})
    if "views" not in wrong:
        with pytest.raises(ValueError, match="must be at least 1"):
            EvalBatches(split(2)[1], **{"size": 8, "batch": 2, **wrong})


def test_working_ahead_keeps_the_order_and_does_not_run_away() -> None:
    started: list[int] = []

    def work(item: int) -> int:
        started.append(item)
        return item * item

    results = ahead(work, iter(range(1000)), workers=2)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(started) < 20
    results.close()  # type: ignore[attr-defined]
    assert list(ahead(work, range(30), workers=3)) == [item * item for item in range(30)]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system does not say which cores are allowed")
def test_as_many_threads_work_ahead_as_the_process_may_use_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5})
    workers = list(ahead(lambda item: threading.get_ident(), range(20)))
    assert len(set(workers)) == 1 and workers[0] != threading.get_ident()
