"""Which images and classes a protocol sees: few-shot draws and the base/novel halves."""

import random
from dataclasses import replace

from bmip.data.dataset import DataError, Dataset, Split

VAL_SHOTS = 4  # Dassl and CoOp validate on min(shots, 4) images per class


def few_shot(dataset: Dataset, shots: int, seed: int) -> Dataset:
    """`shots` training images per class and at most four for validation; fewer than one shot means all images.

    The draw is the one of the reference code (Dassl's `generate_fewshot_dataset` under `random.seed(seed)`) for the
    same order of items: one stream, training classes in order of first appearance, then validation. It is made on all
    classes; base and novel classes are chosen afterwards. A class with fewer images gives all it has and is named in
    the notes.
    """
    if shots < 1:
        return dataset
    stream = random.Random(seed)
    train, short = _draw(dataset.train, shots, stream)
    val = dataset.val
    if val is not None and not dataset.val_is_test:
        val, _ = _draw(val, min(shots, VAL_SHOTS), stream)
    names = dataset.classes.names
    notes = tuple(
        f"class {names[label]!r} has {count} training images, fewer than {shots} shots: it gives all"
        for label, count in short.items()
    )
    return replace(dataset, train=train, val=val, notes=dataset.notes + notes)


def _draw(split: Split, shots: int, stream: random.Random) -> tuple[Split, dict[int, int]]:
    """`shots` items of each class, and the classes that have fewer with what they have."""
    by_label: dict[int, list[int]] = {}
    for index, label in enumerate(split.labels):
        by_label.setdefault(label, []).append(index)
    drawn: list[int] = []
    for indices in by_label.values():
        drawn += stream.sample(indices, shots) if len(indices) >= shots else indices
    short = {label: len(indices) for label, indices in by_label.items() if len(indices) < shots}
    return split.take(drawn), short


def base_novel(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """The first half of the classes (rounded up) and the rest, each a data set of its own labelled from 0. (CoOp)"""
    labels = sorted(set(dataset.train.labels))
    if len(labels) < 4:
        raise DataError(
            f"{dataset.name} has {len(labels)} classes; base-to-novel needs at least 4, two in each half: "
            "add classes or train on all of them"
        )
    middle = (len(labels) + 1) // 2
    return _only(dataset, labels[:middle]), _only(dataset, labels[middle:])


def _only(dataset: Dataset, labels: list[int]) -> Dataset:
    positions = {label: position for position, label in enumerate(labels)}
    return replace(
        dataset,
        classes=replace(dataset.classes, names=tuple(dataset.classes.names[label] for label in labels)),
        train=dataset.train.relabelled(positions),
        val=None if dataset.val is None else dataset.val.relabelled(positions),
        test=dataset.test.relabelled(positions),
    )
