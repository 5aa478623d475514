"""The data sets of scenes by name, each in the role of a public one. The list was fixed before any test split was used.

Classes are things that every family of artists has drawn. Training shows one family, validation and test another, and
pre-training has seen neither. Textures, which nobody has drawn, differ in colour, place and scale from image to image.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import cache

import numpy as np

from bmip.embedded.pictures import things
from bmip.embedded.scenes.captions import COUNTS
from bmip.embedded.scenes.compose import SURFACES, Plan
from bmip.embedded.scenes.nouns import phrase, plural
from bmip.embedded.scenes.sceneset import SceneSet, drawn_by_all
from bmip.embedded.scenes.surfaces import PICTURES, TEXTURES

_PLAIN = ("a photo of a {}.", "a picture of a {}.", "a drawing of a {}.", "a close-up photo of a {}.", "{}.")
_BARE = ("a photo of {}.", "a picture of {}.", "a drawing of {}.", "there are {}.", "{}.")
_PLAN = Plan(side=(28.0, 46.0), turn=0.35, tint=0.15)
_COUNTED = ("red apple", "mushroom", "rocket", "key", "umbrella", "dolphin")
_FLAT = "fluent-flat"


def scene_names() -> tuple[str, ...]:
    """All data sets of scenes."""
    return tuple(_sets())


def load_scenes(name: str) -> SceneSet:
    """A data set by name. Raises ValueError for a name that is not known."""
    if name not in _sets():
        near = difflib.get_close_matches(name, _sets(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"there is no data set of scenes {name!r}{hint} There are {', '.join(_sets())}")
    return _sets()[name]


@cache
def _sets() -> dict[str, SceneSet]:
    sets = [
        *_source_and_variants(),
        _drawn("animals", "Mammals and birds.", 40, "animal-mammal", "animal-bird", kind="animal"),
        _drawn("food", "Fruit, vegetables, dishes, sweets and drinks.", 40, "food", "drink", kind="food"),
        _drawn("vehicles", "What travels on the ground, on water and in the air.", 36, "transport", kind="vehicle"),
        _drawn("faces", "Faces of many moods, which differ in little.", 40, "face"),
        _drawn("clothes", "Clothes, shoes, bags and jewellery.", 28, "clothing"),
        _drawn("tools", "Tools, pens, locks, instruments of science and of music.", 36, "tool", "writing", "lock",
               "science", "musical"),
        _drawn("buildings", "Buildings, landscapes and places.", 36, "place", kind="place"),
        _drawn("weather", "Sun, moon, stars, clouds, wind and rain.", 36, "sky"),
        _textures(),
        _counts(),
    ]  # fmt: skip
    return {one.name: one for one in sets}


def _of_kinds(*kinds: str, most: int) -> tuple[int, ...]:
    """At most so many things of the kinds that begin so, spread evenly over them."""
    found = [place for place in sorted(drawn_by_all()) if things()[place].kind.startswith(kinds)]
    return tuple(found[int(step)] for step in np.linspace(0, len(found) - 1, min(most, len(found))))


def _drawn(name: str, about: str, most: int, *kinds: str, kind: str = "") -> SceneSet:
    members = _of_kinds(*kinds, most=most)
    templates = (f"a photo of a {{}}, a type of {kind}.", *_PLAIN[:3], _PLAIN[4]) if kind else _PLAIN
    members = tuple(sorted(members, key=lambda place: things()[place].name.lower()))
    names = tuple(things()[place].name for place in members)
    return SceneSet(name=name, about=about, class_names=names, templates=templates, members=members, plan=_PLAN)


def _source_and_variants() -> list[SceneSet]:
    """In the roles of ImageNet, its V2, Sketch, A and R, and ObjectNet; the variants have test images alone."""
    kinds = ("animal", "plant", "food", "place", "transport", "event", "sport", "game", "clothing", "music", "computer",
             "light", "book", "mail", "office", "tool", "household", "time", "money")  # fmt: skip
    source = _drawn("things", "Things of all kinds: the source for other data sets and styles.", 40, *kinds)
    again = replace(_PLAN, side=(22.0, 40.0), turn=0.6, tint=0.3, plain_rate=0.2, corruption_rate=0.3)
    variants = {
        "v2": ("drawn again, with other odds for size, turn, background and faults", again, _FLAT),
        "outlined": ("in outlines with flat colours, by other artists", _PLAN, "openmoji"),
        "cluttered": ("among three other things", replace(_PLAN, side=(26.0, 40.0), clutter=3), _FLAT),
        "shaded": ("shaded, by other artists", _PLAN, "noto-old"),
        "silhouette": ("as black silhouettes on light backgrounds", _PLAN, "fluent-black"),
    }
    return [source] + [
        replace(source, name=f"things-{name}", about=f"`things` {about}.", plan=plan, families={"test": family},
                like="things")
        for name, (about, plan, family) in variants.items()
    ]  # fmt: skip


def _textures() -> SceneSet:
    surfaces = [place for place, name in enumerate(SURFACES) if name in TEXTURES or name in PICTURES]
    surfaces = tuple(sorted(surfaces[1:], key=lambda place: SURFACES[place]))  # without "plain"
    return SceneSet(
        name="textures",
        about="A texture or a surface from edge to edge; pre-training shows them behind things alone.",
        class_names=tuple(SURFACES[place] for place in surfaces),
        templates=("a photo of a {} texture.", "a {} background.", "a photo of {}.", "a {} pattern.", "{}."),
        surfaces=surfaces,
        plan=Plan(effect_rate=0.3, effects=("grey",), corruption_rate=0.4),
    )


def _counts() -> SceneSet:
    named = {thing.name: place for place, thing in enumerate(things())}
    rows = [(copies, name) for copies in range(1, 6) for name in _COUNTED]
    rows = [rows[row] for row in np.random.default_rng(7).permutation(len(rows))]
    return SceneSet(
        name="counts",
        about="One to five copies of a thing.",
        class_names=tuple(phrase(name) if copies == 1 else f"{COUNTS[copies]} {plural(name)}" for copies, name in rows),
        templates=_BARE,
        members=tuple(named[name] for _, name in rows),
        copies=tuple(copies for copies, _ in rows),
        crop=(1.0, 1.0),
        plan=_PLAN,
    )
