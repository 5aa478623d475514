"""The data sets for base-to-novel and cross-dataset studies, from far off pre-training to just like it."""

from itertools import product

import numpy as np

from bmip.embedded.world import arrangements
from bmip.embedded.world.naming import BARE, NAMED, PHOTO, called, fixed_order, mixed, things_of
from bmip.embedded.world.placing import RELATIONS
from bmip.embedded.world.plan import Plan, draw_scene
from bmip.embedded.world.vocabulary import (
    BACKGROUNDS,
    COLOURS,
    GLYPHS,
    HELD_OUT_SHAPES,
    HELD_OUT_TEXTURES,
    SHAPES,
    TEXTURES,
    THINGS,
    seen_colours,
    seen_textures,
)
from bmip.embedded.world.words import COUNTS, RELATION_PHRASES, plural, with_article
from bmip.embedded.world.worldset import WorldSet


def _textures() -> WorldSet:
    names = mixed(tuple(name for name in TEXTURES[1:] if name not in HELD_OUT_TEXTURES), HELD_OUT_TEXTURES, 2)
    index = np.array([TEXTURES.index(name) for name in names])
    plan = Plan(styles={"photo": 0.8, "painting": 0.2}, unseen=True, corruption_rate=0.15)
    templates = (
        "a photo of a {} pattern.",
        "a {} pattern.",
        "a photo of a {} texture.",
        "a {} square.",
        "a photo of a {} wall.",
    )
    return WorldSet(
        name="textures",
        about="A texture from edge to edge; pre-training shows textures only as fillings, and three of them never.",
        class_names=names,
        template=templates[0],
        templates=templates,
        compose=lambda rng, labels: arrangements.full_frame(rng, plan, index[labels]),
    )


def _signs() -> WorldSet:
    plates = (("red", "circle"), ("yellow", "triangle"), ("blue", "square"), ("green", "octagon"))
    emblems = ("arrow", "lightning", "key", "cup", "car", "bird")
    pairs = list(product(plates, emblems))
    pairs = [pairs[k] for k in fixed_order(len(pairs), 3)]
    names = tuple(f"{colour} {shape} with {with_article(called(emblem))}" for (colour, shape), emblem in pairs)
    plate = things_of(tuple(shape for (_, shape), _ in pairs))
    colour = np.array([list(COLOURS).index(colour) for (colour, _), _ in pairs])
    emblem = things_of(tuple(emblem for _, emblem in pairs))
    plan = Plan(styles=PHOTO, wall_rate=0.2, texture_rate=0.0, unseen=True, corruption_rate=0.15, turn=0.15)
    return WorldSet(
        name="signs",
        about="A shape inside a shape; pre-training only shows things side by side.",
        class_names=names,
        template=NAMED[0],
        templates=NAMED,
        compose=lambda rng, labels: arrangements.sign(rng, plan, plate[labels], colour[labels], emblem[labels]),
    )


def _compounds() -> WorldSet:
    """Half of the classes join a colour and a shape, or a texture and a shape, that pre-training never joins."""
    rng = np.random.default_rng(4)
    shapes = ("star", "heart", "house", "fish", "car", "leaf")
    rows: list[tuple[int, int, int]] = []
    for name in shapes:
        thing = THINGS.index(name)
        colours, textures = seen_colours()[thing].numpy(), seen_textures()[thing].numpy()
        common = np.arange(1, 12)
        for novel in (False, True, False, True, False):
            while True:
                colour, texture = int(rng.integers(0, 10)), int(rng.choice(common))
                fresh = all((colour, texture) != row[:2] for row in rows)
                if fresh and novel == (not (colours[colour] and textures[texture])):
                    rows.append((colour, texture, thing))
                    break
    rows = [rows[k] for k in fixed_order(len(rows), 5)]
    colour, texture, thing = np.array(rows).T
    names = tuple(f"{list(COLOURS)[c]} {TEXTURES[t]} {THINGS[s]}" for c, t, s in rows)
    plan = Plan(styles={"photo": 0.6, "cartoon": 0.25, "painting": 0.15}, unseen=True, corruption_rate=0.1)
    return WorldSet(
        name="compounds",
        about="A colour, a texture and a shape, as in pre-training, but 12 of the 30 joined as it never joins them.",
        class_names=names,
        template=NAMED[0],
        templates=NAMED,
        compose=lambda rng, labels: draw_scene(
            rng, plan, len(labels), thing=thing[labels], colour=colour[labels], texture=texture[labels]
        ),
    )


def _glyphs() -> WorldSet:
    names = mixed(GLYPHS, (), 6)
    things = things_of(names)
    plan = Plan(styles=PHOTO, texture_rate=0.2, unseen=True, corruption_rate=0.1)
    return WorldSet(
        name="glyphs",
        about="A digit or letter between two others that the frame cuts; pre-training shows them alone.",
        class_names=names,
        template="a photo of the {}.",
        templates=("a photo of the {}.", "the {}.", "a picture of a {}.", "this is the {}.", "a drawing of the {}."),
        compose=lambda rng, labels: arrangements.crowded(rng, plan, things[labels]),
    )


def _counts() -> WorldSet:
    pairs = list(product(range(2, 6), ("star", "heart", "circle", "tree", "boat")))
    pairs = [pairs[k] for k in fixed_order(len(pairs), 7)]
    copies, things = np.array([number for number, _ in pairs]), things_of(tuple(name for _, name in pairs))
    plan = Plan(styles={"photo": 0.6, "cartoon": 0.25, "painting": 0.15}, unseen=True, corruption_rate=0.1)
    return WorldSet(
        name="counts",
        about="Two to five copies of a thing, as in pre-training.",
        class_names=tuple(f"{COUNTS[number - 1]} {plural(name)}" for number, name in pairs),
        template=BARE[0],
        templates=BARE,
        compose=lambda rng, labels: draw_scene(rng, plan, len(labels), thing=things[labels], copies=copies[labels]),
    )


def _neon() -> WorldSet:
    names = mixed(SHAPES[6:33], HELD_OUT_SHAPES[3:6], 8)
    things = things_of(names)
    plan = Plan(styles={"neon": 1.0}, radius=(11.0, 20.0), wobble=0.9, unseen=True, corruption_rate=0.15)
    return WorldSet(
        name="neon",
        about="Shapes as glowing tubes at night, a style pre-training never shows.",
        class_names=tuple(called(name) for name in names),
        template=NAMED[0],
        templates=NAMED,
        compose=lambda rng, labels: draw_scene(rng, plan, len(labels), thing=things[labels]),
    )


def _wallpaper() -> WorldSet:
    names = mixed(SHAPES[3:25], HELD_OUT_SHAPES[:2], 9)
    things = things_of(names)
    plan = Plan(styles=PHOTO, texture_rate=0.15, wall_rate=0.7, unseen=True, corruption_rate=0.1)
    templates = (*BARE[:3], "many {}.", "a {} pattern.")
    return WorldSet(
        name="wallpaper",
        about="Rows of one shape from edge to edge; pre-training shows five copies at most.",
        class_names=tuple(plural(called(name)) for name in names),
        template=templates[0],
        templates=templates,
        compose=lambda rng, labels: arrangements.wallpaper(rng, plan, things[labels]),
    )


def _windows() -> WorldSet:
    shown = {"night": "the night sky", "notebook": "paper", "chessboard": "a chessboard", "carpet": "a carpet"}
    shown |= {"forest": "a forest", "sky": "the sky"}
    places = [BACKGROUNDS[1:][k] for k in fixed_order(len(BACKGROUNDS) - 1, 10)]
    index = np.array([BACKGROUNDS.index(place) for place in places])
    styles = {"photo": 0.7, "painting": 0.3}
    plan = Plan(styles=styles, radius=(18.0, 24.0), unseen=True, corruption_rate=0.15)
    return WorldSet(
        name="windows",
        about="A place seen through a hole in a wall; pre-training shows places only behind things.",
        class_names=tuple(shown.get(place, place) for place in places),
        template=BARE[0],
        templates=BARE,
        compose=lambda rng, labels: arrangements.window(rng, plan, index[labels]),
    )


def _tumbled() -> WorldSet:
    upright = ("house", "tree", "cup", "bottle", "umbrella", "boat", "car", "bird", "cat", "rocket", "candle", "bulb")
    upright += ("mushroom", "apple", "crown", "bell", "anchor", "snowman", "ghost", "heart", "flag", "hammer")
    names = mixed(upright, ("cactus", "rabbit"), 11)
    things = things_of(names)
    plan = Plan(styles=PHOTO, radius=(11.0, 20.0), unseen=True, corruption_rate=0.1)
    return WorldSet(
        name="tumbled",
        about="Things leaning far or on their side; pre-training keeps them upright.",
        class_names=tuple(called(name) for name in names),
        template=NAMED[0],
        templates=NAMED,
        compose=lambda rng, labels: arrangements.tumbled(rng, plan, things[labels]),
    )


def _relations() -> WorldSet:
    pairs = (("star", "circle"), ("heart", "tree"), ("car", "house"), ("fish", "moon"), ("key", "cup"))
    rows = list(product(pairs, range(len(RELATIONS))))
    rows = [rows[k] for k in fixed_order(len(rows), 12)]
    first, second = (things_of(tuple(pair[k] for pair, _ in rows)) for k in range(2))
    relation = np.array([relation for _, relation in rows])
    plan = Plan(styles=PHOTO, texture_rate=0.3, unseen=True, corruption_rate=0.1)
    return WorldSet(
        name="relations",
        about="One thing left of, right of, above or below another, as in pre-training.",
        class_names=tuple(f"{a} {RELATION_PHRASES[way][0]} {with_article(b)}" for (a, b), way in rows),
        template=NAMED[0],
        templates=NAMED,
        compose=lambda rng, labels: arrangements.related(rng, plan, first[labels], relation[labels], second[labels]),
    )


def all_cuts() -> list[WorldSet]:
    cut = [_textures, _signs, _compounds, _glyphs, _counts, _neon, _wallpaper, _windows, _tumbled, _relations]
    return [define() for define in cut]
