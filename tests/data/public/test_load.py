"""Published splits, drawn splits, and what is not where it should be."""

import json
import os
import random
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bmip.data.dataset import DataError, Dataset, split_hash
from bmip.data.load import load_dataset
from bmip.data.names import dataset_names
from bmip.data.public.registry import PUBLIC
from bmip.data.read_config import ReadConfig
from bmip.data.sampling import sample_few_shot, split_base_novel
from bmip.data.sources.assembly import split_places
from tests.data.public.test_readers import names

PUBLISHED = "dtd/split_zhou_DescribableTextures.json"


@pytest.fixture
def textures(tmp_path: Path, put) -> Path:
    """A root with four classes of DTD and a published split."""
    classes = ("banded", "polka-dotted", "striped", "zig_zagged")
    parts: dict[str, list] = {"train": [], "val": [], "test": []}
    for label, name in enumerate(classes):
        put(f"dtd/images/{name}", [f"{name}_{index}.jpg" for index in range(10)])
        order = random.Random(label).sample(range(10), 10)
        for place, index in enumerate(order):
            part = "train" if place < 5 else "val" if place < 7 else "test"
            parts[part].append([f"{name}/{name}_{index}.jpg", label, name])
    (tmp_path / PUBLISHED).write_text(json.dumps(parts))
    return tmp_path


def dtd(root: Path, **options: Any) -> Dataset:
    return load_dataset("dtd", ReadConfig(root=str(root), **options))


def published(root: Path) -> dict[str, list]:
    return json.loads((root / PUBLISHED).read_text())


def rewrite(root: Path, parts: object) -> None:
    (root / PUBLISHED).write_text(parts if isinstance(parts, str) else json.dumps(parts))


def test_the_published_split_is_honoured_in_its_order(textures: Path) -> None:
    dataset = dtd(textures)
    for part, split in dataset.splits().items():
        listed = published(textures)[part]
        assert names(split) == [path for path, _, _ in listed]
        assert list(split.labels) == [label for _, label, _ in listed]
    assert dataset.classes.names == ("banded", "polka-dotted", "striped", "zig_zagged")
    assert dataset.classes.template == "{} texture."
    assert dataset.notes == (f"dtd has 4 classes in {textures / 'dtd'}; published results are on 47",)
    assert sorted(file.name for file in (textures / "dtd").iterdir()) == [
        "images",
        "split_zhou_DescribableTextures.json",
    ]
    base, novel = split_base_novel(sample_few_shot(dataset, 2, 1))
    assert base.classes.names + novel.classes.names == dataset.classes.names


def test_labels_are_those_of_the_split_file_and_not_of_the_folders(textures: Path) -> None:
    parts = {
        part: [[path, 3 - label, f"a {name}"] for path, label, name in items]
        for part, items in published(textures).items()
    }
    rewrite(textures, parts)
    assert dtd(textures).classes.names == (
        "a zig_zagged",
        "a striped",
        "a polka-dotted",
        "a banded",
    )


def test_a_drawn_split_is_kept_under_its_own_name_and_says_so(textures: Path) -> None:
    (textures / PUBLISHED).unlink()
    first = dtd(textures, split_seed=3)
    own = textures / "dtd/split_bmip_dtd.json"
    for part in (
        f"{textures / PUBLISHED} is not there",
        str(own),
        "is not the published one",
        "bmip data prepare dtd --plan",
    ):
        assert part in first.notes[0]
    written = json.loads(own.read_text())
    assert "it is not the published split" in written["note"]
    assert "seed 3" in written["note"]
    assert [path for path, _, _ in written["test"]] == names(first.test)
    again = dtd(textures, split_seed=4)
    assert split_hash(again) == split_hash(first)
    (more,) = set(again.notes) - set(first.notes)
    assert more == f"the split in {own} was drawn with the split seed 3, not 4"
    own.unlink()
    assert split_hash(dtd(textures, split_seed=3)) == split_hash(first)
    own.unlink()
    assert split_hash(dtd(textures, split_seed=4)) != split_hash(first)


def test_the_published_split_wins_when_it_arrives(textures: Path) -> None:
    content = (textures / PUBLISHED).read_text()
    (textures / PUBLISHED).unlink()
    dtd(textures)
    (textures / PUBLISHED).write_text(content)
    assert names(dtd(textures).test) == [path for path, _, _ in json.loads(content)["test"]]


def test_a_drawn_split_does_not_depend_on_the_order_of_the_file_system(
    textures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (textures / PUBLISHED).unlink()
    first = split_hash(dtd(textures))
    (textures / "dtd/split_bmip_dtd.json").unlink()
    real = os.scandir

    class Backwards(ExitStack):
        """The entries of a folder in the opposite order of their names."""

        def __init__(self, place: str | Path) -> None:
            super().__init__()
            with real(place) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name)

        def __iter__(self) -> "Backwards":
            return self

        def __next__(self) -> os.DirEntry:
            if not self.entries:
                raise StopIteration
            return self.entries.pop()

    monkeypatch.setattr(os, "scandir", Backwards)
    assert split_hash(dtd(textures)) == first


def test_a_split_that_is_kept_in_the_cache(textures: Path, cache: Path) -> None:
    """As for a root where nothing can be written."""
    (textures / PUBLISHED).unlink()
    drawn = dtd(textures)
    beside, aside = split_places(textures / "dtd/split_bmip_dtd.json", textures / "dtd", cache, "-dtd")
    aside.parent.mkdir(parents=True, exist_ok=True)
    beside.rename(aside)
    again = dtd(textures, split_seed=5)
    assert f"the split in {aside} was drawn by bmip and is not the published one" in again.notes[0]
    assert split_hash(again) == split_hash(drawn)
    assert not beside.exists()


def test_the_split_hash_does_not_depend_on_the_place(textures: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    (other / "dtd").symlink_to(textures / "dtd")
    assert split_hash(dtd(other)) == split_hash(dtd(textures))


# what is wrong


def refused(root: Path | None, message: str, name: str = "dtd", **options) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(name, ReadConfig(root="" if root is None else str(root), **options))


def test_without_a_root() -> None:
    told = r"give the folder that holds dtd/ with --root DIR, in a plan root = .DIR. \(`bmip data prepare dtd"
    refused(None, f"dtd is read from files: {told}")


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    refused(tmp_path / "absent", r"the root .*absent does not exist")
    refused(tmp_path, r"dtd does not exist; the root \(--root DIR, .*\) is the folder that holds dtd/ \(`bmip data")


def test_the_folder_of_the_data_set_as_root(textures: Path) -> None:
    refused(textures / "dtd", "this looks like that folder: give the one above it")


def test_an_archive_that_was_not_unpacked(tmp_path: Path) -> None:
    (tmp_path / "fgvc_aircraft/data").mkdir(parents=True)
    refused(tmp_path, "has no folder images/ with the images of FGVC Aircraft; it holds data", "fgvc_aircraft")


def test_files_that_are_missing(textures: Path) -> None:
    gone = [published(textures)[part][0][0] for part in ("train", "test")]
    for path in gone:
        (textures / "dtd/images" / path).unlink()
    refused(
        textures, r"dtd: .*images lacks 2 files of its split .*\(--skip-bad-images, in a plan skip_bad_images = true\)"
    )
    with pytest.raises(DataError) as error:
        dtd(textures)
    assert all(path in str(error.value) for path in gone)
    whole = published(textures)
    kept = dtd(textures, skip_bad_images=True)
    assert len(kept.train) == len(whole["train"]) - 1
    assert sum("does not exist" in reason for reason in kept.skipped) == 2


def test_files_that_cannot_be_read_are_skipped_on_demand(textures: Path) -> None:
    path = published(textures)["test"][3][0]
    (textures / "dtd/images" / path).write_text("no picture")
    assert path in names(dtd(textures).test)
    kept = dtd(textures, skip_bad_images=True)
    assert path not in names(kept.test)
    assert any(path in reason for reason in kept.skipped)


def test_a_class_must_not_vanish(textures: Path) -> None:
    for path, label, _ in published(textures)["train"]:
        if label == 2:
            (textures / "dtd/images" / path).unlink()
    refused(textures, "has no readable training images of 'striped'", skip_bad_images=True)


@pytest.mark.parametrize("content", ["{", "[]", '{"train": []}', '{"train": [["a", "0", "b"]], "val": [], "test": []}'])
def test_a_damaged_split_file(textures: Path, content: str) -> None:
    rewrite(textures, content)
    refused(
        textures,
        "split_zhou_DescribableTextures.json.*(is no list of splits|is not .path, label, class name.).*get it again",
    )


def test_lists_that_name_absent_files(tmp_path: Path, put) -> None:
    lists = put("oxford_pets/images", ["pug_1.jpg", "pug_2.jpg", "boxer_1.jpg"]).parent / "annotations"
    lists.mkdir()
    (lists / "trainval.txt").write_text("pug_1 1 1 1\npug_2 1 1 1\npug_3 1 1 1\nboxer_1 2 1 2\n")
    (lists / "test.txt").write_text("pug_4 1 1 1\n")
    refused(tmp_path, r"images lacks 2 files of its lists \(pug_3.jpg, pug_4.jpg\)", "oxford_pets")
    assert not list((tmp_path / "oxford_pets").glob("split*"))


def test_a_split_is_only_kept_when_it_can_be_used(textures: Path) -> None:
    (textures / PUBLISHED).unlink()
    (textures / "dtd/images/dotty").mkdir()
    refused(textures, "has no readable images of 'dotty': add some, or take the class out")
    (textures / "dtd/images/dotty").rmdir()
    assert not list((textures / "dtd").glob("split*"))
    assert len(dtd(textures).classes) == 4


def test_classes_that_get_one_name_are_refused_before_a_split_is_kept(tmp_path: Path, put) -> None:
    put("eurosat/2750/AnnualCrop", 3)
    put("eurosat/2750/Annual Crop Land", 3)
    refused(tmp_path, "class names occur more than once: 'Annual Crop Land'", "eurosat")
    assert not list((tmp_path / "eurosat").glob("split*"))


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (["pug_1 1 1 1"], ["pug_1 1 1 1"], "pug_1.jpg in train and again in test"),
        (["pug_1 1 1 1"], ["pug_2 3 1 1"], "pug_2.jpg in test is labelled 2 'pug'; the training items know no such"),
    ],
)
def test_lists_that_make_no_sense(tmp_path: Path, put, train: list[str], test: list[str], message: str) -> None:
    lists = put("oxford_pets/images", ["pug_1.jpg", "pug_2.jpg", "boxer_1.jpg"]).parent / "annotations"
    lists.mkdir()
    (lists / "trainval.txt").write_text("\n".join([*train, "boxer_1 2 1 2"]))
    (lists / "test.txt").write_text("\n".join(test))
    refused(tmp_path, message, "oxford_pets")
    assert not list((tmp_path / "oxford_pets").glob("split*"))


def test_what_is_learned_from_is_not_judged_in_live_lists(tmp_path: Path, put) -> None:
    folder = put("fgvc_aircraft/images", ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]).parent
    (folder / "variants.txt").write_text("707-320\nYak-42\n")
    for part, lines in (("train", "1 707-320\n2 Yak-42"), ("val", "3 707-320"), ("test", "4 Yak-42\n1 707-320")):
        (folder / f"images_variant_{part}.txt").write_text(lines)
    refused(tmp_path, "1.jpg in train and again in test", "fgvc_aircraft")
    (folder / "images_variant_test.txt").write_text("4 Yak-42\n../../2 Yak-42")
    refused(tmp_path, r"lead out of the folder \(../../2.jpg\)", "fgvc_aircraft")
    (folder / "images_variant_test.txt").write_text("4 Yak-42")
    found = load_dataset("fgvc_aircraft", ReadConfig(root=str(tmp_path)))
    assert any("no test images of '707-320'" in note for note in found.notes)
    (folder / "images_variant_train.txt").write_text("1 707-320")
    refused(tmp_path, "no readable training images of 'Yak-42'", "fgvc_aircraft")


# the catalogue


def test_every_set_has_a_name_and_facts() -> None:
    assert set(PUBLIC) <= set(dataset_names())
    assert len(PUBLIC) == 11 + 4 + 9
    recognition = [known for known in PUBLIC.values() if known.name in NUMBERS]
    assert {known.name: (known.classes, *(known.counts or ())) for known in recognition} == NUMBERS
    for known in PUBLIC.values():
        assert "{}" in known.template
        assert known.split_file is None or known.split_file.startswith(("split_zhou_", "split_chen_"))


NUMBERS = {
    "imagenet": (1000, 1281167, 0, 50000),
    "caltech101": (100, 4128, 1649, 2465),
    "oxford_pets": (37, 2944, 736, 3669),
    "stanford_cars": (196, 6509, 1635, 8041),
    "oxford_flowers": (102, 4093, 1633, 2463),
    "food101": (101, 50500, 20200, 30300),
    "fgvc_aircraft": (100, 3334, 3333, 3333),
    "sun397": (397, 15880, 3970, 19850),
    "dtd": (47, 2820, 1128, 1692),
    "eurosat": (10, 13500, 5400, 8100),
    "ucf101": (101, 7639, 1898, 3783),
}
