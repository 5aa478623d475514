"""Data sets of the world: complete, disjoint, the same everywhere, drawn once."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from bmip.embedded.world import load_world, world_names
from bmip.embedded.world.store import stored
from bmip.embedded.world.vocabulary import HELD_OUT_SHAPES
from bmip.embedded.world.worldset import IMAGES_PER_CLASS

PARTS = ("train", "val", "test")
NAMES = world_names()


def _first_of_each_class(name: str, part: str, number: int) -> torch.Tensor:
    """The scenes of a split in small, so that the tests need not draw all of it."""
    world = load_world(name)
    labels = np.repeat(np.arange(len(world.class_names)), number)
    return world._render(part, labels)


def test_there_is_a_source_with_its_four_variants() -> None:
    source = load_world("shapes")
    for name in ("shapes-v2", "shapes-sketch", "shapes-adversarial", "shapes-rendition"):
        variant = load_world(name)
        assert variant.shares_classes_with == "shapes"
        assert variant.class_names == source.class_names
    assert len(NAMES) == 15


@pytest.mark.parametrize("name", NAMES)
def test_classes_and_templates_are_words(name: str) -> None:
    world = load_world(name)
    assert 10 <= len(world.class_names) <= 40
    assert len(set(world.class_names)) == len(world.class_names)
    assert world.template in world.templates
    assert len(set(world.templates)) == 5
    assert all(template.count("{}") == 1 for template in world.templates)


@pytest.mark.parametrize("name", NAMES)
def test_splits_show_different_images_of_every_class(name: str) -> None:
    drawn = {part: _first_of_each_class(name, part, 2) for part in PARTS}
    images = torch.cat(list(drawn.values()))
    assert images.dtype == torch.uint8
    assert len({image.numpy().tobytes() for image in images}) == len(images)
    assert (images.float().flatten(1).std(1) > 1).all(), "an image shows nothing"


def test_a_split_has_the_promised_size(cache: Path) -> None:
    assert IMAGES_PER_CLASS["train"] >= 32
    assert IMAGES_PER_CLASS["val"] >= 50
    assert IMAGES_PER_CLASS["test"] >= 60
    world = load_world("windows")
    seen: set[bytes] = set()
    for part in PARTS:
        images, labels = world.split(part, cache)
        count = IMAGES_PER_CLASS[part]
        assert images.shape == (15 * count, 3, 48, 48)
        assert torch.equal(labels.bincount(), torch.full((15,), count))
        split = {image.numpy().tobytes() for image in images}
        assert not seen & split
        seen |= split


def test_the_second_call_reads_the_same_images_from_disk(cache: Path) -> None:
    world = load_world("textures")
    first = world.split("train", cache).images.clone()
    files = set((cache / "world").iterdir())
    again = world.split("train", cache).images
    assert torch.equal(first, again)
    assert set((cache / "world").iterdir()) == files
    assert not list((cache / "world").glob("*.part"))


def test_changing_a_loaded_split_leaves_the_file_alone(cache: Path) -> None:
    world = load_world("textures")
    images = world.split("train", cache).images
    before = images[0].clone()
    images[0] = 0
    assert torch.equal(world.split("train", cache).images[0], before)


def test_images_of_older_code_are_forgotten_after_a_day(cache: Path) -> None:
    old, recent, other = (
        cache / "world" / f"{name}.npy" for name in ("few-0123456789ab", "few-ba9876543210", "few-v2-x")
    )
    for path in (old, recent, other):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    drawn = torch.full((1, 3, 4, 4), 7, dtype=torch.uint8)
    assert torch.equal(stored("few", lambda: drawn, cache), drawn)
    assert not old.exists()
    assert recent.exists()
    assert other.exists()


def test_without_a_folder_to_write_to_images_are_drawn_each_time(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the cache should be")
    drawn = torch.full((1, 3, 4, 4), 7, dtype=torch.uint8)
    for folder in (None, tmp_path / "taken"):
        assert stored("few", lambda: drawn, folder) is drawn
    assert [file.name for file in tmp_path.iterdir()] == ["taken"]


def test_rendering_again_gives_the_same_bytes() -> None:
    assert torch.equal(_first_of_each_class("signs", "val", 2), _first_of_each_class("signs", "val", 2))


def test_novel_words_are_a_small_part_of_every_set() -> None:
    for name in NAMES:
        world = load_world(name)
        unknown = [one for one in world.class_names if any(word in one for word in HELD_OUT_SHAPES)]
        assert len(unknown) <= len(world.class_names) / 6


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ValueError, match=r"no data set 'texture'; did you mean 'textures'\? It has shapes, .*relations"
    ):
        load_world("texture")
    with pytest.raises(ValueError, match="no data set 'qqq'"):
        load_world("qqq")


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="no split 'validation' in 'signs': ask for one of train, val, test"):
        load_world("signs").split("validation")
