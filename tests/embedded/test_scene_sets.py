"""Data sets of scenes: complete, truthful, the same on every call, and no picture of training in a test."""

import numpy as np
import pytest
import torch

from bmip.embedded.pictures import families, things
from bmip.embedded.scenes import sceneset
from bmip.embedded.scenes.atlas import pictures_of
from bmip.embedded.scenes.compose import SEEN, SURFACES, held_out
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.embedded.scenes.sceneset import FAMILIES, IMAGES_PER_CLASS

NAMES = scene_names()
VARIANTS = ("things-v2", "things-outlined", "things-cluttered", "things-shaded", "things-silhouette")
SETS = tuple(name for name in NAMES if name not in VARIANTS)


@pytest.fixture
def composed(monkeypatch):
    """What a split shows: its scene and content, caught on the way to the renderer."""

    def composed(name: str, part: str):
        caught = []

        def catch(*args, **options):
            caught.append(compose(*args, **options))
            return caught[-1]

        compose = sceneset.compose
        monkeypatch.setattr(sceneset, "compose", catch)
        load_scenes(name).split(part)
        monkeypatch.setattr(sceneset, "compose", compose)
        return caught[0]

    return composed


def test_there_is_a_source_with_its_five_variants() -> None:
    source = load_scenes("things")
    for name in VARIANTS:
        variant = load_scenes(name)
        assert variant.like == "things"
        assert variant.class_names == source.class_names
        assert len(variant.split("train").images) == len(variant.split("val").images) == 0
    assert len(NAMES) == 16


@pytest.mark.parametrize("name", NAMES)
def test_classes_and_templates_are_words(name: str) -> None:
    one = load_scenes(name)
    assert 28 <= len(one.class_names) <= 40
    assert len(set(one.class_names)) == len(one.class_names)
    assert one.template == one.templates[0]
    assert len(set(one.templates)) == 5
    assert all(template.count("{}") == 1 for template in one.templates)


def test_pre_training_sees_no_family_of_a_data_set() -> None:
    used = {family for name in NAMES for family in load_scenes(name).families.values()}
    assert not used & set(SEEN)
    assert used | set(SEEN) >= set(families())


@pytest.mark.parametrize("name", [name for name in SETS if name != "textures"])
def test_no_picture_of_training_is_in_another_split(name: str, composed) -> None:
    seen: dict[str, set[int]] = {}
    for part in IMAGES_PER_CLASS:
        scene, content = composed(name, part)
        shown = set(scene.picture[scene.picture >= 0].tolist())
        assert shown <= set(pictures_of((FAMILIES[part],)).flat)
        seen[part] = shown
        one = load_scenes(name)
        labels = np.repeat(np.arange(len(one.class_names)), IMAGES_PER_CLASS[part])
        assert (content.thing == np.array(one.members)[labels]).all()
    assert not seen["train"] & (seen["val"] | seen["test"])
    assert load_scenes(name).split("val").images[0].ne(load_scenes(name).split("test").images[0]).any()


def test_textures_show_no_thing_and_every_image_differs(composed) -> None:
    scene, content = composed("textures", "test")
    assert (scene.picture < 0).all()
    one = load_scenes("textures")
    assert [SURFACES[place] for place in content.surface[:: IMAGES_PER_CLASS["test"]]] == list(one.class_names)
    images = torch.cat([one.split(part).images for part in IMAGES_PER_CLASS])
    assert len({image.numpy().tobytes() for image in images}) == len(images)


def test_counts_show_as_many_as_they_say(composed) -> None:
    scene, _content = composed("counts", "val")
    number = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5}
    said = [number[name.split()[0]] for name in load_scenes("counts").class_names]
    assert ((scene.picture >= 0).sum(1).numpy() == np.repeat(said, IMAGES_PER_CLASS["val"])).all()


def test_clutter_stands_behind_the_thing(composed) -> None:
    scene, _content = composed("things-cluttered", "test")
    assert ((scene.picture >= 0).sum(1) == 4).all()


def test_a_split_has_the_promised_size_and_is_the_same_again() -> None:
    for part, count in {"train": 32, "val": 50, "test": 60}.items():
        images, labels = load_scenes("clothes").split(part)
        assert images.shape == (28 * count, 3, 48, 48)
        assert images.dtype == torch.uint8
        assert torch.equal(labels.bincount(), torch.full((28,), count))
        assert torch.equal(load_scenes("clothes").split(part).images, images)


def test_some_classes_are_truly_unknown() -> None:
    drawn = [name for name in SETS if name not in ("textures", "counts")]
    shares = [np.mean([place in held_out() for place in load_scenes(name).members]) for name in drawn]
    assert all(0.05 < share < 0.2 for share in shares)
    names = [thing.name for thing in things()]
    for name in drawn:
        one = load_scenes(name)
        assert [names[place] for place in one.members] == list(one.class_names)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ValueError, match=r"no data set of scenes 'texture'; did you mean 'textures'\? There are things,"
    ):
        load_scenes("texture")
    with pytest.raises(ValueError, match="no data set of scenes 'qqq'"):
        load_scenes("qqq")


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="no split 'validation' in 'food': ask for one of train, val, test"):
        load_scenes("food").split("validation")
