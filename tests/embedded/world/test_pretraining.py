"""Pre-training batches: the same everywhere, described truthfully, from plain to rich."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch

from bmip.embedded.world import ATTRIBUTES, Sample, sample
from bmip.embedded.world.captions import caption
from bmip.embedded.world.plan import draw_scene, pretraining_plan
from bmip.embedded.world.pretraining import attributes_of
from bmip.embedded.world.vocabulary import GLYPHS, SHAPES

_PRINT_DIGEST = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from bmip.embedded.world import sample
drawn = sample(200, seed=11)
print(hashlib.sha256(drawn.images.numpy().tobytes() + "\\n".join(drawn.captions).encode()).hexdigest())
"""


@pytest.fixture(scope="module")
def world() -> Sample:
    return sample(1000, seed=1)


def _digest(drawn: Sample) -> str:
    return hashlib.sha256(drawn.images.numpy().tobytes() + "\n".join(drawn.captions).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_another_process_with_other_threads() -> None:
    command = [sys.executable, "-c", _PRINT_DIGEST, str(torch.get_num_threads() + 2)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == _digest(sample(200, seed=11))


def test_other_seeds_give_other_images() -> None:
    first, second = sample(32, seed=1), sample(32, seed=2)
    assert (first.images != second.images).flatten(1).any(1).all()


def test_images_use_the_whole_range(world: Sample) -> None:
    assert world.images.shape == (1000, 3, 48, 48)
    assert world.images.amin() == 0
    assert world.images.amax() == 255
    spread = world.images.float().flatten(1).std(1)
    assert (spread > 3).all(), "an image shows nothing"


def test_attributes_index_their_values(world: Sample) -> None:
    assert world.attributes.keys() == ATTRIBUTES.keys()
    for name, values in ATTRIBUTES.items():
        numbers = world.attributes[name]
        assert numbers.dtype == torch.int64
        assert numbers.shape == (1000,)
        assert numbers.min() >= -1
        assert numbers.max() < len(values)


def test_captions_are_short_and_varied(world: Sample) -> None:
    rng = np.random.default_rng(4)
    drawn = caption(draw_scene(rng, pretraining_plan(1.0), 5000), rng)
    sentences = [text.replace(".", " .").replace(",", " ,").split() for text in drawn]
    lengths = [len(words) for words in sentences]
    assert 7 < sum(lengths) / len(lengths) < 12
    assert max(lengths) <= 30
    assert len({word for words in sentences for word in words}) > 300
    assert len(set(world.captions)) > 950


def test_captions_name_only_what_the_attributes_say() -> None:
    rng = np.random.default_rng(6)
    scene = draw_scene(rng, pretraining_plan(1.0), 3000)
    drawn, attributes = caption(scene, rng), attributes_of(scene)
    for thing, word in (("digit seven", "seven"), ("letter A", "letter A"), ("star", "star"), ("house", "house")):
        index = ATTRIBUTES["thing"].index(thing)
        shown = (attributes["thing"] == index) | (attributes["other_thing"] == index)
        assert shown.any()
        for text, here in zip(drawn, shown.tolist(), strict=True):
            named = any(f" {text} ".count(f" {word}{end}") for end in (" ", ".", ","))
            assert here or not named, text


def test_glyphs_are_frequent(world: Sample) -> None:
    glyphs = (world.attributes["thing"] >= len(SHAPES)).float().mean()
    assert glyphs > 0.35
    assert set(ATTRIBUTES["thing"][len(SHAPES) :]) == set(GLYPHS)


def test_the_curriculum_begins_with_single_plain_things() -> None:
    plain = sample(300, seed=5, difficulty=0.0).attributes
    assert (plain["count"] == 0).all()
    assert (plain["texture"] == 0).all()
    assert (plain["style"] == ATTRIBUTES["style"].index("photo")).all()
    assert (plain["other_thing"] == -1).all()
    assert (plain["position"] == 0).all()


def test_a_silhouette_has_no_colour(world: Sample) -> None:
    dark = world.attributes["style"] == ATTRIBUTES["style"].index("silhouette")
    assert dark.any()
    for name in ("colour", "second_colour", "texture", "other_colour"):
        assert (world.attributes[name][dark] == -1).all()


def test_difficulty_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"difficulty is 1\.5; it must lie between 0"):
        sample(1, seed=0, difficulty=1.5)


def test_an_empty_sample_is_allowed() -> None:
    assert sample(0, seed=0).images.shape == (0, 3, 48, 48)
