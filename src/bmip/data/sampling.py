"""Few-shot sampling, and the division of the classes into base and novel."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

from bmip.class_names import words
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.shots import read_shots, stored_file
from bmip.system.messages import counted, first_few
from bmip.system.seeds import check_seed

VAL_SHOTS = 4  # Dassl and CoOp validate on min(shots, 4) images per class


def sample_few_shot(dataset: Dataset, shots: int, seed: int) -> Dataset:
    """Draws `shots` training images per class, and for validation at most four per class; 0 shots means all images.

    The draw equals that of Dassl's `generate_fewshot_dataset` under `random.seed(seed)` for the same order of items:
    one random stream, training classes in the order of their first image, then validation. It is made on all classes;
    base and novel classes are selected afterwards. A class with too few images gives all its images; a note names
    such classes. If CoOp's code has stored its own draw beside the data, that draw is used and noted.

    Raises DataError for a stored draw that cannot be read or belongs to another split, and ValueError for a seed below
    0.
    """
    check_seed(seed)
    if shots < 1:
        return dataset
    file = stored_file(dataset, shots, seed)
    if file is not None:
        note = f"the shots are those that were stored in {file}"
        return replace(read_shots(dataset, file), notes=(*dataset.notes, note))
    stream = random.Random(seed)
    train, short = _draw(dataset.train, shots, stream)
    val = dataset.val
    if val is not None and not dataset.val_is_test:
        val, _ = _draw(val, min(shots, VAL_SHOTS), stream)
    return replace(dataset, train=train, val=val, notes=(*dataset.notes, *_short_note(dataset, shots, short)))


def _short_note(dataset: Dataset, shots: int, short: dict[int, int]) -> list[str]:
    """A note on the classes with fewer images than shots; `short` has their numbers of images by label."""
    few = [f"{dataset.classes.names[label]} ({count})" for label, count in short.items()]
    has = "has" if len(few) == 1 else "have"
    return [f"{counted(len(few), 'class')} {has} fewer than {shots} training images: {first_few(few)}"] if few else []


def _draw(split: Split, shots: int, stream: random.Random) -> tuple[Split, dict[int, int]]:
    """`shots` items of each class, and the number of images of each class that has fewer."""
    by_label: dict[int, list[int]] = {}
    for index, label in enumerate(split.labels):
        by_label.setdefault(label, []).append(index)
    drawn: list[int] = []
    for indices in by_label.values():
        drawn += stream.sample(indices, shots) if len(indices) >= shots else indices
    short = {label: len(indices) for label, indices in by_label.items() if len(indices) < shots}
    return split.take(drawn), short


def split_base_novel(dataset: Dataset, base: float | Sequence[str] = 0.5) -> tuple[Dataset, Dataset]:
    """Two data sets, one with the base classes and one with the others (the novel classes), each labelled from 0.

    `base` is the share of the classes that come first, rounded up (CoOp: one half), or the names of the base classes.
    Raises DataError if one side has fewer than two classes, or if a name is unknown.
    """
    chosen, rest = base_novel_labels(dataset, base)
    return only_classes(dataset, chosen), only_classes(dataset, rest)


def base_novel_labels(dataset: Dataset, base: float | Sequence[str]) -> tuple[list[int], list[int]]:
    """The labels of the base classes and of the novel classes; `base` and errors as in `split_base_novel`."""
    count = len(dataset.classes)
    by_share = isinstance(base, float | int)  # 0.07 of 100 are 7, and not 8 because of a last digit
    labels = list(range(math.ceil(round(base * count, 9)))) if by_share else _labels_of(dataset, base)
    rest = sorted(set(range(count)).difference(labels))
    if min(len(labels), len(rest)) < 2:
        raise DataError(
            f"{dataset.name} has {counted(count, 'class')}; base-to-novel needs at least 4, two in each half, and gets "
            f"{len(labels)} and {len(rest)}: add classes, choose others, or train on all of them"
        )
    return labels, rest


def _labels_of(dataset: Dataset, names: Sequence[str]) -> list[int]:
    known: dict[str, list[int]] = {}
    for label, name in enumerate(dataset.classes.names):
        known.setdefault(words(name), []).append(label)
    unknown = [name for name in names if words(name) not in known]
    if unknown:
        raise DataError(
            f"{dataset.name} has no class {first_few(map(repr, unknown))}: name base classes as it names them"
        )
    return sorted({label for name in names for label in known[words(name)]})


def only_classes(dataset: Dataset, labels: Sequence[int]) -> Dataset:
    """The data set with only these classes; the new label of a class is its position in `labels`."""
    positions = {label: position for position, label in enumerate(labels)}
    return replace(
        dataset,
        classes=replace(dataset.classes, names=tuple(dataset.classes.names[label] for label in labels)),
        train=dataset.train.relabelled(positions),
        val=None if dataset.val is None else dataset.val.relabelled(positions),
        test=dataset.test.relabelled(positions),
        stored_shots=None,
    )
