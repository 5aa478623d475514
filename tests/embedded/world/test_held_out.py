"""What pre-training must never show or name, read off its attributes and, independently, off its captions."""

import re

import numpy as np
import pytest
import torch

from bmip.embedded.world.captions import caption
from bmip.embedded.world.plan import draw_scene, pretraining_plan
from bmip.embedded.world.scene import Scene
from bmip.embedded.world.vocabulary import (
    COLOURS,
    HELD_OUT_SHAPES,
    HELD_OUT_STYLES,
    HELD_OUT_TEXTURES,
    STYLES,
    TEXTURES,
    THINGS,
    seen_colours,
    seen_textures,
)
from bmip.embedded.world.words import COLOUR_NAMES, NAMES, TEXTURE_NAMES, glyph_names, plural


@pytest.fixture(scope="module")
def drawn() -> tuple[list[Scene], list[str]]:
    """Scenes and captions of many pre-training images; no need to render them."""
    rng = np.random.default_rng(2024)
    scenes = [draw_scene(rng, pretraining_plan(difficulty), 3000) for difficulty in (0.0, 0.5, 1.0)]
    return scenes, [text for scene in scenes for text in caption(scene, rng)]


def test_one_colour_in_six_and_one_texture_in_five_is_held_out_for_each_thing() -> None:
    assert 0.1 < (~seen_colours()).float().mean() < 0.18
    patterns = torch.tensor([name not in HELD_OUT_TEXTURES and name != "plain" for name in TEXTURES])
    assert 0.15 < (~seen_textures()[:, patterns]).float().mean() < 0.25
    assert (~seen_colours()).any(1).all()


def test_scenes_show_nothing_that_is_held_out(drawn: tuple[list[Scene], list[str]]) -> None:
    held_out = torch.tensor([THINGS.index(name) for name in HELD_OUT_SHAPES])
    for scene in drawn[0]:
        assert len(scene.layers) == 2, "one thing beside another; nothing nested, no full-frame texture"
        assert not torch.isin(scene.style, torch.tensor([STYLES.index(name) for name in HELD_OUT_STYLES])).any()
        for layer in scene.layers:
            here = layer.count > 0
            assert not torch.isin(layer.thing[here], held_out).any()
            assert seen_colours()[layer.thing, layer.colour][here].all()
            assert seen_textures()[layer.thing, layer.texture][here].all()
            two = here & (layer.second_colour >= 0)
            assert seen_colours()[layer.thing, layer.second_colour.clamp(min=0)][two].all()
            assert (layer.grow < 0.2).all()
            assert not layer.inverted.any()


def test_captions_never_use_held_out_words(drawn: tuple[list[Scene], list[str]]) -> None:
    words = {word for text in drawn[1] for word in re.findall(r"\w+", text.lower())}
    for name in (*HELD_OUT_SHAPES, *HELD_OUT_TEXTURES, *HELD_OUT_STYLES):
        assert not words & {name, name + "s", plural(name)}


def _phrases(names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Every wording -> the first name of what it stands for."""
    return {wording: first for first, wordings in names.items() for wording in wordings}


def test_captions_never_join_what_is_held_out(drawn: tuple[list[Scene], list[str]]) -> None:
    """Reads "[colours and textures] thing [with a texture]" out of the text, knowing nothing of the scene."""
    things = {name: NAMES.get(name) or glyph_names(name) for name in THINGS if name not in HELD_OUT_SHAPES}
    nouns = {**_phrases(things), **{plural(w): name for name, ws in things.items() for w in ws}}
    colours, textures = _phrases(COLOUR_NAMES), _phrases(TEXTURE_NAMES)
    adjective = "|".join(sorted([*colours, *textures, "and"], key=len, reverse=True))
    noun = "|".join(sorted(map(re.escape, nouns), key=len, reverse=True))
    texture = "|".join(sorted(textures, key=len, reverse=True))
    tail = rf", ({texture})(?=[ .]|$)| with an? ({texture}) (?:pattern|texture)"
    pattern = re.compile(rf"\b((?:(?:{adjective}) )*)({noun})\b(?:{tail})?")
    colour_index = {name: k for k, name in enumerate(COLOURS)}
    pairs = patterned = 0
    for text in drawn[1]:
        for before, thing, *after in pattern.findall(text):
            row = THINGS.index(nouns[thing])
            said = re.findall(rf"\b({adjective})\b", before) + after
            for word in said:
                if word in colours:
                    pairs += 1
                    assert seen_colours()[row, colour_index[colours[word]]], text
                elif word in textures:
                    patterned += 1
                    assert seen_textures()[row, TEXTURES.index(textures[word])], text
    assert pairs > 4500, "the captions were not understood"
    assert patterned > 800, "the captions were not understood"
