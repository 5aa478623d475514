import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.data.dataset import DataError, Dataset, Split, split_hash
from bmip.data.load import load_dataset
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import sample_few_shot, split_base_novel
from bmip.data.sources.assembly import keep_split, missing_drawn
from bmip.data.sources.folder import find_folder
from bmip.data.sources.listing import Item, Parts, list_folder
from bmip.data.sources.split_file import draw_parts, draw_val, inspect_split, read_split, write_parts

Make = Callable[[str, dict[str, int]], Path]


def names(split: Split | None) -> list[str]:
    return [] if split is None else [split.images.name(index) for index in range(len(split))]


def everything(dataset: Dataset) -> list[str]:
    return [name for split in dataset.splits().values() for name in names(split)]


def test_a_folder_per_class_is_split_and_the_split_is_kept(make_folder: Make) -> None:
    folder = make_folder("pets", {"big_cat": 10, "dog": 20})
    dataset = load_dataset(str(folder), ReadConfig(split_seed=1))
    assert (dataset.name, dataset.classes.names, dataset.notes) == ("pets", ("big cat", "dog"), ())
    assert {part: Counter(split.labels) for part, split in dataset.splits().items()} == {
        "train": {0: 5, 1: 10},
        "val": {0: 2, 1: 4},
        "test": {0: 3, 1: 6},
    }
    assert len(set(everything(dataset))) == 30
    assert all((folder / name).is_file() for name in everything(dataset))
    written = json.loads((folder / "split.json").read_text())
    assert list(written) == ["seed", "train", "val", "test"]
    assert written["test"][0] == [dataset.test.images.name(0), 0, "big cat"]
    assert split_hash(load_dataset(str(folder), ReadConfig(split_seed=2))) == split_hash(dataset)
    (folder / "split.json").unlink()
    assert split_hash(load_dataset(str(folder), ReadConfig(split_seed=1))) == split_hash(dataset)
    (folder / "split.json").unlink()
    assert split_hash(load_dataset(str(folder), ReadConfig(split_seed=2))) != split_hash(dataset)


def test_a_split_that_cannot_be_written_beside_the_images_is_kept_in_the_cache(make_folder: Make, cache: Path) -> None:
    folder = make_folder("pets", {"cat": 6, "dog": 6})

    def refusing(parts: Parts, file: Path, note: str) -> None:
        if file.parent == folder:
            raise PermissionError(file)
        write_parts(parts, file, note, seed=3)

    source = find_folder(folder, cache)
    parts = missing_drawn(source.listing.parts, seed=3)
    file, notes = keep_split(parts, source.split_files, write=refusing)
    assert file is not None and cache in file.parents
    assert notes == [f"nothing can be written to {folder}; its split is kept in {file}"]
    dataset = load_dataset(str(folder), ReadConfig(split_seed=3))
    assert [dataset.train.images.name(index) for index in range(6)] == [item.path for item in parts["train"]]
    assert dataset.notes == ()
    assert not (folder / "split.json").exists()


def test_train_and_test_without_val(make_folder: Make) -> None:
    folder = make_folder("pets", {"train/cat": 10, "train/dog": 5, "test/cat": 2, "test/dog": 3})
    dataset = load_dataset(str(folder))
    assert dataset.val is not None
    assert Counter(dataset.train.labels) == {0: 8, 1: 4}
    assert Counter(dataset.val.labels) == {0: 2, 1: 1}
    assert names(dataset.test) == [
        f"test/{name}/{i}.png" for name, count in (("cat", 2), ("dog", 3)) for i in range(count)
    ]
    assert all(name.startswith("train/") for name in names(dataset.train) + names(dataset.val))
    assert split_hash(load_dataset(str(folder), ReadConfig(split_seed=9))) == split_hash(dataset)


@pytest.mark.parametrize(
    "places", [("train", "val", "test"), ("train", "valid", "test"), ("Training", "Validation", "Testing")]
)
def test_train_val_and_test(make_folder: Make, places: tuple[str, str, str]) -> None:
    folder = make_folder("pets", {f"{place}/{name}": 2 for place in places for name in ("cat", "dog")})
    dataset = load_dataset(str(folder))
    for part, place in zip(("train", "val", "test"), places, strict=True):
        expected = [f"{place}/{name}/{index}.png" for name in ("cat", "dog") for index in range(2)]
        assert names(dataset.splits()[part]) == expected
    assert not (folder / "split.json").exists()


@pytest.mark.parametrize("place", ["", "train", "test"])
def test_images_outside_the_class_folders_are_told(make_folder: Make, place: str) -> None:
    folder = make_folder("pets", {f"{part}/{name}": 2 for part in ("train", "test") for name in ("cat", "dog")})
    (folder / "train/cat/0.png").rename(folder / place / "stray.png")
    (note,) = [note for note in load_dataset(str(folder)).notes if "outside" in note]
    assert note.endswith(f"1 in {folder / place}")


def test_a_file_name_that_is_no_text(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 2, "dog": 2})
    try:
        (folder / "cat/0.png").rename(folder / "cat/\udcff.png")
    except OSError:
        pytest.skip("the file system has no such names")
    refused(folder, r"the name 'cat/\\udcff.png' of a file is not UTF-8: rename it")


def test_classes_called_like_parts_of_a_split(make_folder: Make) -> None:
    names = ("jumping", "testing", "training")
    counts = {f"{name}/{take}": 3 for name in names for take in ("first", "second")}
    dataset = load_dataset(str(make_folder("sports", counts)))
    assert dataset.classes.names == names
    assert any("testing, training are read as classes" in note for note in dataset.notes)


def test_a_class_called_train_is_a_class(make_folder: Make) -> None:
    assert load_dataset(str(make_folder("vehicles", {"car": 4, "train": 4}))).classes.names == ("car", "train")


def test_hidden_and_other_files_do_not_count(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 4, "dog/more/inside": 4, ".thumbnails": 3, "dog/.cache": 2})
    (folder / "cat" / ".DS_Store").write_text("")
    (folder / "cat" / ".hidden.png").write_text("")
    (folder / "cat" / "notes.txt").write_text("")
    (folder / "cat" / "camera.raw").write_text("")
    (folder / "dog" / "Thumbs.db").write_text("")
    (folder / "__MACOSX" / "cat").mkdir(parents=True)
    (folder / "__MACOSX" / "cat" / "._0.png").write_text("")
    (folder / "dog" / "__MACOSX").mkdir()
    shutil.copy(folder / "cat" / "0.png", folder / "dog" / "__MACOSX")
    dataset = load_dataset(str(folder))
    assert dataset.classes.names == ("cat", "dog")
    assert len(everything(dataset)) == 8
    (note,) = dataset.notes
    assert "1 .txt" in note
    assert "1 .raw" in note
    assert ".db" not in note


def test_folders_that_cannot_be_read_are_named(make_folder: Make, close_folder: Callable[..., None]) -> None:
    folder = make_folder("pets", {"cat": 4, "cat/more": 2, "dog": 4})
    close_folder(folder / "cat/more")
    refused(
        folder, "the folder .*pets/cat/more cannot be read .Permission denied.: allow reading it", skip_bad_images=True
    )
    split = make_folder("split", {"train/cat": 2, "train/dog": 2, "test/cat": 1, "test/dog": 1})
    close_folder(split / "test/dog")
    refused(split, "split/test/dog cannot be read")
    close_folder(split / "test")
    refused(split, "split/test cannot be read")


def test_a_folder_that_became_closed_is_named_beside_a_written_split(make_folder: Make, close_folder) -> None:
    folder = make_folder("pets", {"cat": 4, "dog": 4})
    load_dataset(str(folder))
    close_folder(folder / "dog")
    refused(folder, "pets/dog cannot be read")


def test_better_class_names(make_folder: Make) -> None:
    folder = make_folder("imagenet", {"n01": 4, "n_02": 4})
    assert load_dataset(str(folder), class_names={"n01": "tench", "n_02": "gold_fish"}).classes.names == (
        "tench",
        "gold_fish",
    )
    assert load_dataset(
        str(folder), ReadConfig(template="a sketch of a {}."), class_names={"n01": "tench"}
    ).classes.names == (
        "tench",
        "n 02",
    )
    assert load_dataset(str(folder), class_names=["tench", "goldfish"]).classes.names == ("tench", "goldfish")
    with pytest.raises(DataError, match="class_names renames n03; the classes are n01, n 02"):
        load_dataset(str(folder), class_names={"n03": "shark"})
    with pytest.raises(ValueError, match=r"are a list, not one text: give \['cat, dog'\]"):
        load_dataset(str(folder), class_names="cat, dog")
    with pytest.raises(DataError, match="1 class name came for 2 classes"):
        load_dataset(str(folder), class_names=["tench"])


def test_images_that_arrive_later_are_named_and_left_out(make_folder: Make, picture) -> None:
    folder = make_folder("pets", {"cat": 4, "dog": 4})
    first = load_dataset(str(folder))
    picture(99).save(folder / "cat" / "new.png")
    later = load_dataset(str(folder))
    assert split_hash(later) == split_hash(first)
    (note,) = later.notes
    assert note == f"{folder / 'split.json'} leaves out 1 image of {folder} (cat/new.png); delete it to draw again"


@pytest.mark.parametrize("place", ["", "train/"])
def test_a_class_that_arrives_later_is_named(make_folder: Make, picture, place: str) -> None:
    folder = make_folder("pets", {"cat": 4, "dog": 4})
    load_dataset(str(folder))
    (folder / place / "new_bird").mkdir(parents=True)
    picture(99).save(folder / place / "new_bird" / "0.png")
    (note,) = load_dataset(str(folder)).notes
    assert f"({place}new_bird/0.png), and with them the class 'new bird'; delete it to draw again" in note


def test_two_folders_that_clip_reads_alike_are_refused(make_folder: Make) -> None:
    refused(make_folder("pets", {"Cat": 3, "cat": 3}), r"'Cat' and 'cat' are both the class 'cat' for CLIP: rename one")


def test_class_names_in_numbers_get_a_remark(make_folder: Make) -> None:
    (note,) = load_dataset(str(make_folder("pets", {"0": 4, "1": 4}))).notes
    assert "numbers say nothing about an image" in note and "class_names" in note


def test_a_few_shots_of_a_folder_end_to_end(make_folder: Make) -> None:
    folder = make_folder("pets", {"a": 8, "b": 8, "c": 2, "d": 8})
    base, novel = split_base_novel(sample_few_shot(load_dataset(str(folder)), 2, 1))
    assert (base.classes.names, novel.classes.names) == (("a", "b"), ("c", "d"))
    assert [Counter(half.train.labels) for half in (base, novel)] == [{0: 2, 1: 2}, {0: 1, 1: 2}]
    assert base.notes == ("1 class has fewer than 2 training images: c (1)",)
    assert base.train.images[0].shape == (3, 9, 12)


# bad images


def spoil(folder: Path) -> None:
    (folder / "cat" / "0.png").write_bytes((folder / "cat" / "0.png").read_bytes()[:60])
    (folder / "dog" / "1.png").write_text("no picture")


def test_bad_images_stop_everything_and_are_named(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 5, "dog": 5})
    spoil(folder)
    with pytest.raises(DataError) as error:
        load_dataset(str(folder))
    for part in (str(folder / "cat" / "0.png"), str(folder / "dog" / "1.png"), "--skip-bad-images"):
        assert part in str(error.value)
    assert not (folder / "split.json").exists()


def test_bad_images_are_skipped_on_demand_and_listed(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 5, "dog": 5})
    spoil(folder)
    dataset = load_dataset(str(folder), ReadConfig(skip_bad_images=True))
    assert len(everything(dataset)) == 8
    assert [reason.split()[0] for reason in dataset.skipped] == [
        str(folder / "cat" / "0.png"),
        str(folder / "dog" / "1.png"),
    ]


def test_an_image_that_goes_bad_is_found_under_a_kept_split(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 5, "dog": 5})
    good = load_dataset(str(folder))
    spoil(folder)
    with pytest.raises(DataError, match=r"1.png is not an image.*0.png cannot be read"):
        load_dataset(str(folder))
    kept = load_dataset(str(folder), ReadConfig(skip_bad_images=True))
    assert set(everything(kept)) == set(everything(good)) - {"cat/0.png", "dog/1.png"}


# what is wrong with a folder


def refused(folder: Path | str, message: str, **options) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(str(folder), ReadConfig(**options))


def test_no_folder(tmp_path: Path) -> None:
    refused(tmp_path / "absent", "absent does not exist: give the path of a folder")
    (tmp_path / "file").write_text("")
    refused(tmp_path / "file", "file is a file: give a folder")


def test_nothing_in_it(tmp_path: Path, picture) -> None:
    (tmp_path / "pets").mkdir()
    refused(tmp_path / "pets", "pets holds no images: put each class's images")
    picture(0).save(tmp_path / "pets" / "a.png")
    refused(tmp_path / "pets", "pets holds 1 image but no class folders")


def test_one_class(make_folder: Make) -> None:
    refused(make_folder("pets", {"cat": 3}), "pets has only the class folder 'cat'; at least two classes are needed")
    refused(make_folder("split", {"train/cat": 3, "test/cat": 1}), "train has only the class folder 'cat'")


def test_a_class_without_images(make_folder: Make) -> None:
    refused(make_folder("pets", {"cat": 3, "dog": 0}), "pets has no readable images of 'dog'")
    parts = {"train/cat": 3, "train/dog": 0, "test/cat": 1, "test/dog": 1}
    refused(make_folder("split", parts), "split has no readable training images of 'dog'")


def test_a_class_with_bad_images_only(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 3, "dog": 2})
    for file in (folder / "dog").iterdir():
        file.write_text("no picture")
    refused(folder, "pets has no readable images of 'dog'", skip_bad_images=True)


def test_a_class_too_small_to_split(make_folder: Make) -> None:
    refused(
        make_folder("pets", {"cat": 3, "dog": 1}),
        r"class 'dog' has one image \(dog/0.png\); a split needs at least two",
    )


def test_a_test_class_unknown_to_training(make_folder: Make) -> None:
    folder = make_folder("pets", {"train/cat": 2, "train/dog": 2, "test/cat": 1, "test/Dog": 1})
    refused(folder, "test has classes that .*train has not: Dog: add them to train/")


def test_train_without_test(make_folder: Make) -> None:
    refused(make_folder("pets", {"train/cat": 2, "train/dog": 2}), "pets has train/ but no test/")


def test_test_without_images(make_folder: Make) -> None:
    folder = make_folder("pets", {"train/cat": 2, "train/dog": 2, "test/cat": 0})
    refused(folder, "pets has no readable test images")


def test_a_class_without_test_images_is_noted(make_folder: Make) -> None:
    folder = make_folder("pets", {"train/cat": 2, "train/dog": 2, "test/cat": 1})
    assert load_dataset(str(folder)).notes == (f"{folder} has no test images of 'dog'",)


def test_two_folders_that_read_alike(make_folder: Make) -> None:
    refused(make_folder("pets", {"big cat": 2, "big_cat": 2}), "the folders 'big cat' and 'big_cat' are both the class")


# the same file twice


@pytest.mark.parametrize("parts", [("train", "test"), ("val", "test"), ("train", "val")])
def test_the_same_file_on_both_sides(make_folder: Make, parts: tuple[str, str]) -> None:
    counts = {f"{part}/{name}": 2 for part in ("train", "val", "test") for name in ("cat", "dog")}
    folder = make_folder("pets", counts)
    one, other = (f"{part}/cat/{name}.png" for part, name in zip(parts, ("0", "copy"), strict=True))
    shutil.copy(folder / one, folder / other)
    refused(folder, f"{one} .{parts[0]}. and {other} .{parts[1]}. are the same file")


def test_a_leak_in_a_written_split(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 5, "dog": 5})
    dataset = load_dataset(str(folder))
    shutil.copy(folder / dataset.train.images.name(0), folder / dataset.test.images.name(0))
    refused(folder, "are the same file; splits must not share images")


def test_copies_are_left_out_of_a_new_split(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 5, "dog": 5})
    for index in range(5):
        shutil.copy(folder / "cat" / f"{index}.png", folder / "cat" / f"copy {index}.png")
    dataset = load_dataset(str(folder))
    assert not [name for name in everything(dataset) if "copy" in name]
    assert "5 files" in dataset.notes[0]
    assert "cat/copy 0.png" in dataset.notes[0]


def test_the_same_file_in_two_classes(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 5, "dog": 5})
    shutil.copy(folder / "cat" / "0.png", folder / "dog" / "9.png")
    refused(folder, "cat/0.png, dog/9.png are the same file in different classes")


def test_the_same_file_in_two_classes_of_a_given_split(make_folder: Make) -> None:
    folder = make_folder("pets", {f"{part}/{kind}": 3 for part in ("train", "test") for kind in ("cat", "dog")})
    shutil.copy(folder / "train" / "cat" / "0.png", folder / "train" / "dog" / "9.png")
    refused(folder, "train/cat/0.png, train/dog/9.png are the same file in different classes")


# split.json


def write(folder: Path, content: object) -> None:
    (folder / "split.json").write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no list of splits"),
        ({"train": []}, "is no list of splits .KeyError: 'val'."),
        ({"train": [["cat/0.png", "0", "cat"]], "val": [], "test": []}, "is not .path, label, class name."),
        ({"train": [["../0.png", 0, "cat"]], "val": [], "test": []}, "leads out of the folder"),
        ({"train": [["cat/0.png", 1, "cat"]], "val": [], "test": []}, "must be 0, 1, 2, ... without a gap"),
        ({"train": [["cat/0.png", 0, "cat"]], "val": [], "test": [["dog/0.png", 1, "dog"]]}, "know no such class"),
        ({"train": [["cat/0.png", 0, "cat"]], "val": [], "test": [["dog/0.png", 0, "dog"]]}, "label is 'cat'"),
        ({"train": [["cat/0.png", 0, "cat"], ["cat/1.png", 0, "cow"]], "val": [], "test": []}, "label is 'cat'"),
        ({"train": [["cat/0.png", 0, " "]], "val": [], "test": []}, "cat/0.png has no class name"),
        ({"train": [["cat/0.png", 0, "cat"]], "val": [], "test": [["cat/1.png", 0, "cat"]]}, "has 1 class"),
        (
            {"train": [["cat/7.png", 0, "cat"]], "val": [], "test": []},
            "cat/7.png does not exist: .* delete split.json to have a new split drawn",
        ),
        (
            {"train": [["cat/0.png", 0, "cat"], ["dog/0.png", 1, "dog"]], "val": [], "test": [["cat/0.png", 0, "cat"]]},
            "cat/0.png in train and again in test",
        ),
    ],
)
def test_a_broken_split_file(make_folder: Make, content: object, message: str) -> None:
    folder = make_folder("pets", {"cat": 2, "dog": 2})
    write(folder, content)
    refused(folder, message)


def test_labels_are_those_of_the_split_file(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 2, "dog": 2})
    lists = [[[f"{name}/{i}.png", label, f"a_{name}"] for label, name in enumerate(("dog", "cat"))] for i in range(2)]
    write(folder, {"train": lists[0], "val": [], "test": lists[1]})
    dataset = load_dataset(str(folder))
    assert dataset.classes.names == ("a_dog", "a_cat")
    assert names(dataset.test) == ["dog/1.png", "cat/1.png"]
    assert dataset.val is None


sizes = st.lists(st.integers(2, 40), min_size=2, max_size=5)


@given(sizes, st.integers(0, 5))
def test_a_drawn_split_covers_all_and_rounds_as_the_reference(counts: list[int], seed: int) -> None:
    items = [
        Item(f"{label}/{index}", label, str(label)) for label, count in enumerate(counts) for index in range(count)
    ]
    parts = draw_parts(items, seed)
    assert sorted(parts["train"] + parts["val"] + parts["test"]) == sorted(items)
    assert parts == draw_parts(items, seed)
    for label, count in enumerate(counts):
        found = [sum(item.label == label for item in part) for part in parts.values()]
        assert min(found[0], found[2]) >= 1
        if count > 3:
            assert found == [round(0.5 * count), round(0.2 * count), count - round(0.5 * count) - round(0.2 * count)]


@given(sizes, st.integers(0, 5))
def test_a_drawn_validation_part_leaves_enough_to_train_on(counts: list[int], seed: int) -> None:
    items = [
        Item(f"{label}/{index}", label, str(label)) for label, count in enumerate(counts) for index in range(count)
    ]
    parts = draw_val(items, items[:1], seed)
    assert sorted(parts["train"] + parts["val"]) == sorted(items)
    assert parts["test"] == (items[0],)
    for label, count in enumerate(counts):
        assert sum(item.label == label for item in parts["val"]) == round(0.2 * count)


def test_a_written_split_reads_back(tmp_path: Path) -> None:
    parts = {"train": (Item("ä/1.png", 0, "ä"), Item("b/1.png", 1, "b")), "val": (), "test": (Item("ä/2.png", 0, "ä"),)}
    write_parts(parts, tmp_path / "new" / "split.json")
    assert read_split(tmp_path / "new" / "split.json").parts == parts
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["split.json"]


def test_a_class_whose_only_training_entry_is_a_repetition_keeps_its_name(tmp_path: Path) -> None:
    file = tmp_path / "split.json"
    train = [["a.png", 1, "dog"], ["a.png", 0, "cat"], ["b.png", 1, "dog"]]
    file.write_text(json.dumps({"train": train, "val": [], "test": []}))
    listing = inspect_split(file)
    assert listing.names == ("cat", "dog")
    assert listing.faults == (f"{file} lists a.png in train and again in train",)


def test_a_link_to_a_folder_within_a_class_is_left_out_and_named(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 4, "dog": 4})
    (folder / "cat" / "more").symlink_to(folder / "dog", target_is_directory=True)
    listing = list_folder(folder)
    assert len(listing.paths()) == 8
    assert any("they are left out: 1 link to a folder" in note for note in listing.notes)


def test_a_split_seed_without_effect_is_said(make_folder: Make) -> None:
    folder = make_folder("pets", {"cat": 8, "dog": 8})
    assert load_dataset(folder, ReadConfig(split_seed=7)).notes == ()
    assert load_dataset(folder, ReadConfig(split_seed=7)).notes == ()
    (note,) = load_dataset(folder, ReadConfig(split_seed=5)).notes
    drawn = f"the split in {folder / 'split.json'} was drawn with the split seed 7, not 5"
    assert note == f"{drawn}: delete it to draw again"
    counts = {"train": 4, "val": 1, "test": 1}
    given = make_folder("given", {f"{part}/{name}": counts[part] for part in counts for name in ("cat", "dog")})
    assert load_dataset(given).notes == ()
    (note,) = load_dataset(given, ReadConfig(split_seed=5)).notes
    assert note == f"the split of {given} is given, so the split seed 5 has no effect"
