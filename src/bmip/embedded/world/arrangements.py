"""How the data sets put things together: mostly in ways that pre-training never does."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bmip.embedded.world.odds import Draws, choose, contrasts
from bmip.embedded.world.placing import MIDDLE, RELATION_STEPS
from bmip.embedded.world.plan import Plan, draw_layer, draw_scene, finish_scene, replaced
from bmip.embedded.world.scene import MOST, Layer, Scene
from bmip.embedded.world.vocabulary import COLOURS, GLYPHS, HELD_OUT_SHAPES, SHAPES, STYLES, THINGS

Reals = Float[np.ndarray, " image"]

_COVERS_ALL = 100.0  # growth, in radii
_UNFRAMED = [STYLES.index(name) for name in ("silhouette", "sketch", "neon")]


def full_frame(rng: np.random.Generator, plan: Plan, texture: Draws) -> Scene:
    """Nothing but a texture from edge to edge."""
    count = len(texture)
    layer = draw_layer(rng, plan, np.zeros(count, dtype=np.int64), texture=texture)
    layer = replaced(
        _covering(layer), texture_scale=rng.uniform(0.8, 1.7, count), texture_turn=rng.uniform(-0.8, 0.8, count)
    )
    return finish_scene(rng, plan, (layer,), style=_styles(rng, plan, count))


def on_pattern(rng: np.random.Generator, plan: Plan, thing: Draws, *, clutter: int = 0) -> Scene:
    """A thing before a patterned wall in two shades of one colour, with smaller things strewn around it."""
    count, style = len(thing), _styles(rng, plan, len(thing))
    main = draw_layer(rng, plan, thing)
    low, high = plan.radius
    main = _at(main, *_around_middle(rng, count, 5.0), rng.uniform(low, high, count))
    distance = contrasts()[main.colour.numpy(), : len(COLOURS)]
    fits = (distance > plan.contrast) & (distance < plan.clash)
    wall = draw_layer(rng, replace(plan, texture_rate=1.0), np.zeros(count, dtype=np.int64), colour_odds=fits + 1e-6)
    shade = wall.rgb.double().numpy() * rng.uniform(0.45, 0.75, (count, 1)) + rng.uniform(0, 0.25, (count, 1))
    wall = replaced(_covering(wall), second_rgb=shade, texture_scale=rng.uniform(0.7, 1.6, count))
    wall = replaced(wall, count=np.where(np.isin(style, _UNFRAMED), 0, 1))
    strewn = [_strewn(rng, plan, thing) for _ in range(clutter)]
    return finish_scene(rng, plan, (wall, *strewn, main), style=style)


def sign(rng: np.random.Generator, plan: Plan, plate: Draws, colour: Draws, emblem: Draws) -> Scene:
    """A plate in a colour with a light rim and an emblem on it."""
    count = len(plate)
    board = draw_layer(rng, replace(plan, turn=0.12), plate, colour=colour)
    x, y = _around_middle(rng, count, 2.5)
    radius = rng.uniform(17, 21, count)
    board = replaced(_at(board, x, y, radius), shear=np.zeros(count), aspect=np.ones(count))
    rim = replaced(board, rgb=np.full((count, 3), 0.94), texture=np.zeros(count, dtype=np.int64))
    rim = replaced(rim, grow=board.grow.double().numpy() + 0.1)
    inner = draw_layer(rng, plan, emblem, colour_odds=(contrasts()[colour, : len(COLOURS)] > 0.8) + 1e-6)
    low = np.where(plate == THINGS.index("triangle"), 0.25, 0.0)  # a triangle is widest near its foot
    inner = _at(inner, x, y + low * radius, radius * rng.uniform(0.42, 0.52, count))
    return finish_scene(rng, plan, (rim, board, inner), style=_styles(rng, plan, count))


def crowded(rng: np.random.Generator, plan: Plan, thing: Draws) -> Scene:
    """A digit or letter between others that the frame cuts off, as in a photographed house number."""
    count = len(thing)
    main = draw_layer(rng, plan, thing)
    x, y = _around_middle(rng, count, 1.5)
    radius = rng.uniform(12, 17, count)
    main = _at(main, x, y, radius)
    neighbours = []
    for side in (-1, 1):
        glyph = rng.integers(len(SHAPES), len(SHAPES) + len(GLYPHS), count)
        layer = replaced(draw_layer(rng, plan, glyph), **_same_paint(main))
        neighbours.append(_at(layer, x + side * radius * rng.uniform(1.9, 2.2, count), y, radius))
    return finish_scene(rng, plan, (*neighbours, main), style=_styles(rng, plan, count))


def wallpaper(rng: np.random.Generator, plan: Plan, thing: Draws) -> Scene:
    """Rows and rows of the same thing, running off the edges."""
    count = len(thing)
    layer = draw_layer(rng, plan, thing)
    step = rng.uniform(14, 19, (count, 1))
    cells = np.array([(x, y) for y in (-1.5, -0.5, 0.5, 1.5) for x in (-2, -1, 0, 1, 2)])
    shift = rng.uniform(-0.5, 0.5, (count, 2, 1)) * step[:, None]
    half = rng.integers(0, 2, (count, 1)) * 0.5 * (np.arange(len(cells)) // MOST % 2)
    x = MIDDLE + shift[:, 0] + step * (cells[:, 0] + half)
    y = MIDDLE + shift[:, 1] + step * cells[:, 1]
    radius = np.repeat(step * rng.uniform(0.4, 0.46, (count, 1)), MOST, axis=1)
    rows = [slice(start, start + MOST) for start in range(0, len(cells), MOST)]
    all_copies = np.full(count, MOST)
    turn = np.repeat(layer.turn.double().numpy()[:, :1], MOST, axis=1)
    layers = [replaced(layer, count=all_copies, x=x[:, row], y=y[:, row], radius=radius, turn=turn) for row in rows]
    return finish_scene(rng, plan, tuple(layers), style=_styles(rng, plan, count))


def window(rng: np.random.Generator, plan: Plan, background: Draws) -> Scene:
    """A place seen through a hole in a wall."""
    count = len(background)
    seen = np.array([name not in HELD_OUT_SHAPES for name in THINGS]) & (np.arange(len(THINGS)) < len(SHAPES))
    wall = draw_layer(rng, plan, choose(rng, seen.astype(float), count))
    low, high = plan.radius
    wall = _at(wall, *_around_middle(rng, count, 4.0), rng.uniform(low, high, count))
    wall = replaced(wall, inverted=np.ones(count, dtype=bool))
    return finish_scene(rng, plan, (wall,), style=_styles(rng, plan, count), background=background)


def tumbled(rng: np.random.Generator, plan: Plan, thing: Draws) -> Scene:
    """A single thing leaning far to one side, or lying on it."""
    scene = draw_scene(rng, plan, len(thing), thing=thing)
    other, main = scene.layers
    turn = rng.uniform(0.2, 0.55, (len(thing), MOST)) * np.pi * rng.choice((-1, 1), (len(thing), MOST))
    return replace(scene, layers=(other, replaced(main, turn=turn)))


def related(rng: np.random.Generator, plan: Plan, first: Draws, relation: Draws, second: Draws) -> Scene:
    """Two things, the first one left of, right of, above or below the second."""
    count = len(first)
    step = RELATION_STEPS[relation] * rng.uniform(10, 12, (count, 1))
    layers = []
    for thing, way in ((second, -1), (first, 1)):
        x, y = (MIDDLE + way * step[:, axis] + rng.uniform(-2, 2, count) for axis in range(2))
        layers.append(_at(draw_layer(rng, plan, thing), x, y, rng.uniform(8, 11, count)))
    return finish_scene(rng, plan, tuple(layers), style=_styles(rng, plan, count), relation=relation)


def _styles(rng: np.random.Generator, plan: Plan, count: int) -> Draws:
    return choose(rng, np.array([plan.styles.get(name, 0.0) for name in STYLES]), count)


def _around_middle(rng: np.random.Generator, count: int, reach: float) -> tuple[Reals, Reals]:
    return MIDDLE + rng.uniform(-reach, reach, count), MIDDLE + rng.uniform(-reach, reach, count)


def _at(layer: Layer, x: Reals, y: Reals, radius: Reals) -> Layer:
    """The layer shown once per image."""
    once = np.ones(len(x), dtype=np.int64)
    spread = [np.repeat(value[:, None], MOST, axis=1) for value in (x, y, radius)]
    return replaced(layer, count=once, x=spread[0], y=spread[1], radius=spread[2])


def _covering(layer: Layer) -> Layer:
    """The layer grown over the whole image."""
    count = len(layer.count)
    middle = np.full(count, MIDDLE)
    return replaced(_at(layer, middle, middle, middle), grow=np.full(count, _COVERS_ALL))


def _strewn(rng: np.random.Generator, plan: Plan, thing: Draws) -> Layer:
    """A small thing of another kind somewhere near the edge."""
    count = len(thing)
    others = (np.arange(len(THINGS)) < len(SHAPES))[None] & (np.arange(len(THINGS))[None] != thing[:, None])
    angle = rng.uniform(0, 2 * np.pi, count)
    x, y = MIDDLE + 19 * np.cos(angle), MIDDLE + 19 * np.sin(angle)
    return _at(draw_layer(rng, plan, choose(rng, others, count)), x, y, rng.uniform(5, 8, count))


def _same_paint(layer: Layer) -> dict[str, np.ndarray]:
    """What a layer must share with another to look written by the same hand."""
    names = ("colour", "second_colour", "rgb", "second_rgb", "texture", "texture_scale", "texture_turn", "grow")
    return {name: getattr(layer, name).numpy() for name in names}
