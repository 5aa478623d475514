import random
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.class_names import ClassNames
from bmip.data.dataset import DataError, Dataset, Split
from bmip.data.images import FileImages
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import sample_few_shot, split_base_novel
from bmip.testing import tiny_dataset


def named(labels: list[int], part: str) -> Split:
    return Split(FileImages(Path(), tuple(f"{part}/{index}" for index in range(len(labels)))), tuple(labels))


def toy(train: list[int], val: list[int], test: list[int]) -> Dataset:
    names = ClassNames(tuple(f"class {label}" for label in range(max(train) + 1)))
    return Dataset("toy", names, named(train, "train"), named(val, "val") if val else None, named(test, "test"))


def items(split: Split | None) -> list[tuple[str, int]]:
    return [] if split is None else [(split.images.name(i), label) for i, label in enumerate(split.labels)]


def dassl(*sources: list[tuple[str, int]], shots: int) -> list[list[tuple[str, int]]]:
    """Dassl's generate_fewshot_dataset in plain words; it draws from Python's global generator."""
    output = []
    for source in sources:
        tracker = defaultdict(list)
        for item in source:
            tracker[item[1]].append(item)
        output.append([])
        for members in tracker.values():
            output[-1] += random.sample(members, shots) if len(members) >= shots else members
    return output


labels = st.lists(st.integers(0, 4), max_size=60).map(lambda drawn: [*drawn, 4, 2, 0, 1, 3])


def test_the_seed_of_a_draw_is_no_negative_number() -> None:
    """Python's generator draws the same for -1 as for 1, which would count as two draws."""
    for make in (lambda: sample_few_shot(tiny_dataset(), 2, -1), lambda: ReadConfig(split_seed=-1)):
        with pytest.raises(ValueError, match="the seed is -1; it must be 0 or more"):
            make()


@given(labels, labels, st.integers(1, 20), st.integers(0, 5))
def test_the_draw_is_the_reference_codes(train: list[int], val: list[int], shots: int, seed: int) -> None:
    dataset = toy(train, val, [0])
    train_items, val_items = items(dataset.train), items(dataset.val)
    state = random.getstate()
    random.seed(seed)
    (expected,) = dassl(train_items, shots=shots)
    (expected_val,) = dassl(val_items, shots=min(shots, 4))
    random.setstate(state)
    drawn = sample_few_shot(dataset, shots, seed)
    assert items(drawn.train) == expected
    assert items(drawn.val) == expected_val


@given(labels, st.integers(1, 20), st.integers(0, 5))
def test_a_draw_repeats_and_gives_each_class_its_shots(train: list[int], shots: int, seed: int) -> None:
    dataset = toy(train, train, [0])
    drawn = sample_few_shot(dataset, shots, seed)
    assert items(drawn.train) == items(sample_few_shot(dataset, shots, seed).train)
    assert len(set(items(drawn.train))) == len(drawn.train)
    assert set(items(drawn.train)) <= set(items(dataset.train))
    for label in range(5):
        assert drawn.train.labels.count(label) == min(shots, train.count(label))
        assert drawn.val is not None
        assert drawn.val.labels.count(label) == min(shots, 4, train.count(label))
    few = [f"class {label} ({train.count(label)})" for label in dict.fromkeys(train) if train.count(label) < shots]
    assert [note.partition(": ")[2] for note in drawn.notes] == [", ".join(few)] * bool(few)
    assert items(drawn.test) == items(dataset.test)


def test_seeds_differ_and_zero_shots_mean_all() -> None:
    dataset = toy([0, 1, 2, 3] * 30, [0, 1, 2, 3] * 9, [0])
    assert items(sample_few_shot(dataset, 8, 1).train) != items(sample_few_shot(dataset, 8, 2).train)
    assert sample_few_shot(dataset, 0, 1) is dataset


def test_a_class_with_too_few_images_is_named() -> None:
    (note,) = sample_few_shot(toy([0, 0, 0, 1], [], [0]), 2, 1).notes
    assert note == "1 class has fewer than 2 training images: class 1 (1)"
    (note,) = sample_few_shot(toy([label for label in range(8) for _ in range(label + 1)], [], [0]), 7, 1).notes
    few = ", ".join(f"class {label} ({label + 1})" for label in range(5))
    assert note == f"6 classes have fewer than 7 training images: {few} and 1 more"


def test_validation_that_is_the_test_split_is_not_sampled() -> None:
    dataset = toy([0, 1] * 9, [0, 1] * 9, [0, 1] * 9)
    shared = Dataset("toy", dataset.classes, dataset.train, dataset.test, dataset.test, val_is_test=True)
    assert sample_few_shot(shared, 2, 1).val is dataset.test


@given(labels, labels, labels)
def test_base_and_novel_are_disjoint_and_cover_all(train: list[int], val: list[int], test: list[int]) -> None:
    dataset = toy(train, val, test)
    base, novel = split_base_novel(dataset)
    assert base.classes.names + novel.classes.names == dataset.classes.names
    assert len(base.classes) == 3
    for part, whole in dataset.splits().items():
        back = []
        for half, offset in ((base, 0), (novel, 3)):
            split = half.splits()[part]
            assert set(split.labels) == set(range(len(half.classes)))
            back += [(name, label + offset) for name, label in items(split)]
        assert sorted(back) == sorted(items(whole))
        assert [item for item in items(whole) if item[1] < 3] == back[: len(base.splits()[part])]


def test_shots_are_drawn_before_classes_are_chosen() -> None:
    dataset = toy([0, 1, 2, 3] * 20, [], [0, 1, 2, 3])
    base, _ = split_base_novel(sample_few_shot(dataset, 4, 1))
    everywhere = [item for item in items(sample_few_shot(dataset, 4, 1).train) if item[1] < 2]
    assert items(base.train) == everywhere


def test_base_to_novel_needs_four_classes() -> None:
    with pytest.raises(DataError, match="toy has 3 classes; base-to-novel needs at least 4"):
        split_base_novel(toy([0, 1, 2], [], [0, 1, 2]))


@pytest.mark.parametrize(
    ("classes", "base"), [(1000, 500), (100, 50), (37, 19), (196, 98), (102, 51), (101, 51), (397, 199), (47, 24)]
)
def test_the_first_half_is_rounded_up(classes: int, base: int) -> None:
    everything = list(range(classes))
    assert [len(half.classes) for half in split_base_novel(toy(everything, [], everything))] == [base, classes - base]


def test_base_classes_by_share_and_by_name() -> None:
    whole = toy([0, 1, 2, 3, 4, 5] * 2, [], [5, 4, 3, 2, 1, 0])
    base, novel = split_base_novel(whole, 1 / 3)
    assert (base.classes.names, len(novel.classes)) == (("class 0", "class 1"), 4)
    base, novel = split_base_novel(whole, ["class 5", "class_1", "class 2"])
    assert base.classes.names == ("class 1", "class 2", "class 5")
    assert novel.classes.names == ("class 0", "class 3", "class 4")
    assert items(base.test) == [("test/0", 2), ("test/3", 1), ("test/4", 0)]
    assert items(novel.test) == [("test/1", 2), ("test/2", 1), ("test/5", 0)]


@given(st.integers(4, 400), st.integers(1, 99))
def test_a_share_gives_the_classes_that_exact_arithmetic_gives(classes: int, percent: int) -> None:
    everything = list(range(classes))
    count = -(-classes * percent // 100)
    if 2 <= count <= classes - 2:
        assert len(split_base_novel(toy(everything, [], everything), percent / 100)[0].classes) == count


@pytest.mark.parametrize("base", [0.1, 0.9, ["class 1"], ["class 0", "class 1", "class 2"]])
def test_both_halves_need_two_classes(base: float | list[str]) -> None:
    with pytest.raises(DataError, match="two in each half, and gets"):
        split_base_novel(toy([0, 1, 2, 3], [], [0]), base)


def test_unknown_base_classes() -> None:
    with pytest.raises(DataError, match="toy has no class 'class 9': name base classes as it names them"):
        split_base_novel(toy([0, 1, 2, 3], [], [0]), ["class 0", "class 9"])


def test_four_classes_are_enough_and_templates_stay() -> None:
    base, novel = split_base_novel(toy([0, 1, 2, 3], [], [0, 1, 2, 3]))
    assert (base.classes.names, novel.classes.names) == (("class 0", "class 1"), ("class 2", "class 3"))
    assert base.classes.template == novel.classes.template
    assert base.val is None
