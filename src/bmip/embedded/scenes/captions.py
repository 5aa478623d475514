"""One caption for each image, as people would say it: now terse, now talkative, and never naming what is not shown."""

from __future__ import annotations

from functools import cache

import numpy as np

from bmip.embedded.pictures import Thing, things
from bmip.embedded.scenes.atlas import shown_things
from bmip.embedded.scenes.compose import RELATIONS, SURFACES, Content, held_out
from bmip.embedded.scenes.nouns import phrase, plural, with_article
from bmip.embedded.scenes.scene import COLOURS, CORRUPTIONS, EFFECTS
from bmip.embedded.scenes.surfaces import PICTURES, TEXTURES

OPENINGS = (
    "a photo of {}", "a picture of {}", "an image of {}", "a drawing of {}", "there is {}", "a photo of {}",
    "a close-up photo of {}", "a good picture of {}", "a cartoon of {}", "a sticker of {}", "this is {}",
)  # fmt: skip
"""Beginnings of captions; half of the captions have none."""

LOOKS = {
    "grey": ("a black and white photo of {}", "a grey picture of {}"),
    "inverted": ("a negative of {}", "a picture of {} in inverted colours"),
    "posterised": ("a poster of {}", "a picture of {} in few colours"),
    "edges": ("a sketch of {}", "a line drawing of {}", "a pencil drawing of {}"),
    "noisy": ("a noisy photo of {}", "a grainy photo of {}"),
    "blurry": ("a blurry photo of {}", "a photo of {}, out of focus"),
    "dark": ("a dark photo of {}", "a photo of {} at night"),
    "faint": ("a faint picture of {}", "a pale picture of {}"),
    "pixelated": ("a pixelated photo of {}", "a photo of {} in coarse pixels"),
}
"""Beginnings that say what was done to an image."""

KINDS = {
    "face": "face", "cat-face": "cat", "monkey-face": "monkey", "heart": "heart", "animal": "animal",
    "animal-mammal": "mammal", "animal-bird": "bird", "animal-reptile": "reptile", "animal-marine": "sea animal",
    "animal-bug": "insect", "plant": "plant", "plant-flower": "flower", "food": "food", "food-fruit": "fruit",
    "food-vegetable": "vegetable", "food-prepared": "dish", "food-asian": "dish", "food-sweet": "sweet",
    "drink": "drink", "place": "place", "place-building": "building", "transport": "vehicle",
    "transport-ground": "vehicle", "transport-water": "boat", "transport-air": "aircraft", "sky": "sky",
    "sport": "sport", "game": "toy", "clothing": "piece of clothing", "musical-instrument": "musical instrument",
    "computer": "device", "phone": "phone", "book-paper": "paper thing", "writing": "pen", "office": "office thing",
    "tool": "tool", "science": "scientific instrument", "household": "household thing",
}  # fmt: skip
"""Kinds of things, or the beginning of a kind's name, with the word for it."""

COUNTS = ("", "one", "two", "three", "four", "five")
_BESIDE = {
    "left": ("to the left of {}", "left of {}"),
    "right": ("to the right of {}", "right of {}"),
    "above": ("above {}", "over {}"),
    "below": ("below {}", "under {}"),
}
_ON = {
    "grass": "on grass", "sky": "in the sky", "water": "on water", "sand": "on sand", "wood": "on wood",
    "bricks": "before a brick wall", "stone": "on stone", "night": "at night under the stars", "lava": "over lava",
    "chessboard": "on a chessboard", "carpet": "on a carpet", "metal": "on metal", "notebook": "on lined paper",
    "snow": "in the snow", "forest": "in a forest",
}  # fmt: skip


def captions(content: Content, rng: np.random.Generator) -> list[str]:
    """The captions of the images, drawn by lot."""
    return [_caption(content.at(np.array([row])), rng) for row in range(len(content))]


def kind_word(thing: Thing) -> str | None:
    """The word for the kind of the thing, such as "fruit"; None where there is none."""
    return KINDS.get(thing.kind) or KINDS.get(thing.kind.split("-")[0])


def _caption(row: Content, rng: np.random.Generator) -> str:
    talk = rng.random()  # how talkative it is
    copies, other = int(row.copies[0]), int(row.other[0])
    words = _several(int(row.thing[0]), copies) if copies > 1 else _one(int(row.thing[0]), rng)
    if other >= 0:
        relation = RELATIONS[int(row.relation[0])]
        if rng.random() < 0.4 + 0.3 * talk:
            words += " " + _pick(_BESIDE[relation], rng).format(_one(other, rng))
        elif rng.random() < 0.7:
            words += f" {_pick(('and', 'next to', 'beside', 'with'), rng)} {_one(other, rng)}"
    if rng.random() < 0.1 + 0.35 * talk:
        words += _setting(int(row.surface[0]), int(row.colour[0]))
    looks = [EFFECTS[int(row.effect[0])], CORRUPTIONS[int(row.corruption[0])]]
    told = [look for look in looks if look != "none"]
    if told and rng.random() < 0.6:
        words = _pick(LOOKS[told[0]], rng).format(words)
    elif rng.random() < 0.55:
        words = _pick(OPENINGS, rng).format(words)
    return words + ("." if rng.random() < 0.4 else "")


def _one(thing: int, rng: np.random.Generator) -> str:
    known, draw = shown_things()[thing], rng.random()
    keywords = [word for word in known.keywords if word not in _silent()]
    kind = kind_word(known)
    if draw < 0.12 and keywords:
        return f"{phrase(known.name)}, {_pick(tuple(keywords), rng)}"
    if draw < 0.2 and kind:
        return f"{phrase(known.name)}, a type of {kind}" if rng.random() < 0.5 else with_article(kind)
    return phrase(known.name)


def _several(thing: int, copies: int) -> str:
    name = things()[thing].name
    words = plural(name)
    return f"{COUNTS[copies]} {words}" if words else f"{COUNTS[copies]} times {phrase(name)}"


def _setting(surface: int, colour: int) -> str:
    name = SURFACES[surface]
    if name == "plain":
        return f" on {with_article(list(COLOURS)[colour])} background"
    if name in PICTURES:
        return " " + _ON[name]
    return f" on {with_article(name)} background" if name in TEXTURES else ""


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


@cache
def _silent() -> frozenset[str]:
    """Names of the things that pre-training holds out: no keyword that is spelt the same, capitals included, is said.

    Plurals and words for kinds are said. It stays so, for the embedded weights were trained with these captions.
    """
    return frozenset(things()[place].name for place in held_out())
