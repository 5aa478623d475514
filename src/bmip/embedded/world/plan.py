"""How scenes are drawn by lot: a plan holds the odds, `draw_scene` throws the dice."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bmip.embedded.pictures.surfaces import TILE
from bmip.embedded.world.odds import (
    BLACK,
    RGB,
    WHITE,
    Draws,
    Odds,
    choose,
    contrasts,
    luma,
    texture_odds,
    thing_odds,
    usual_colours,
)
from bmip.embedded.world.placing import place_alone, place_copies, place_pair
from bmip.embedded.world.scene import MOST, Layer, Scene
from bmip.embedded.world.vocabulary import (
    BACKGROUNDS,
    COLOURS,
    CORRUPTIONS,
    SHAPES,
    STYLES,
    THINGS,
    seen_colours,
    seen_textures,
)

_PAPER, _NIGHT = 0.97, 0.045  # what sketches and neon tubes are drawn on


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The odds of one kind of scene; rates are probabilities, radii are pixels."""

    styles: dict[str, float]
    glyph_rate: float = 0.0
    texture_rate: float = 0.5
    count_rate: float = 0.0
    """Of showing two to five copies."""
    other_rate: float = 0.0
    """Of a second, different thing beside a single one."""
    aside_rate: float = 0.3
    """Of a single thing standing off the centre."""
    radius: tuple[float, float] = (8.0, 21.0)
    wall_rate: float = 0.4
    """Of a plain background."""
    corruption_rate: float = 0.0
    corruptions: tuple[str, ...] = CORRUPTIONS[1:]
    turn: float = 0.25
    """Greatest turn either way, in radians."""
    wobble: float = 0.7
    contrast: float = 0.42
    """Least distance between a thing's colour and its background's, where 1.7 is black on white."""
    clash: float = 9.0
    """Greatest such distance; small values hide things."""
    unseen: bool = False
    """Also draw what pre-training holds out."""


def pretraining_plan(difficulty: float) -> Plan:
    """The curriculum: from large plain single things at 0 to the full world at 1."""
    d = difficulty
    rates = {"cartoon": 0.2, "painting": 0.12, "silhouette": 0.06, "mosaic": 0.07, "negative": 0.05}
    styles = {"photo": 1 - sum(rates.values()) * d, **{name: rate * d for name, rate in rates.items()}}
    return Plan(
        styles=styles,
        glyph_rate=0.42,
        texture_rate=0.5 * d,
        count_rate=0.24 * d,
        other_rate=0.3 * d,
        aside_rate=0.4 * d,
        radius=(15.0 - 7.0 * d, 21.0),
        wall_rate=0.85 - 0.45 * d,
        corruption_rate=0.22 * d,
        turn=0.1 + 0.2 * d,
    )


def draw_layer(
    rng: np.random.Generator,
    plan: Plan,
    thing: Draws,
    *,
    colour: Draws | None = None,
    texture: Draws | None = None,
    colour_odds: Odds | None = None,
) -> Layer:
    """How the given things look; they are placed by whoever knows the other layers (until then count is 0)."""
    count, glyph = len(thing), thing >= len(SHAPES)
    allowed = np.ones_like(seen_colours().numpy()) if plan.unseen else seen_colours().numpy()
    odds = np.where(glyph[:, None], usual_colours(3.0), usual_colours(1.0)) * allowed[thing]
    odds = odds if colour_odds is None else odds * colour_odds
    colour = choose(rng, odds, count) if colour is None else colour
    if texture is None:
        patterned = rng.random(count) < plan.texture_rate * np.where(glyph, 0.5, 1.0)
        seen = seen_textures().numpy()[thing]
        if plan.unseen:
            seen = np.ones_like(seen)
        pattern = choose(
            rng, np.concatenate([np.zeros((count, 1)), seen[:, 1:] * texture_odds(unseen=plan.unseen)], axis=1), count
        )
        texture = np.where(patterned, pattern, 0)
    second = choose(rng, (contrasts()[colour, : len(COLOURS)] > 0.6) * usual_colours(1.0), count)
    second = np.where(rng.random(count) < 0.5, np.where(luma(colour) > 0.5, BLACK, WHITE), second)
    legal = np.take_along_axis(allowed[thing], second[:, None], axis=1)[:, 0]
    second = np.where(legal, second, np.where(luma(colour) > 0.5, BLACK, WHITE))
    jitter = rng.uniform(-0.06, 0.06, (2, count, 3))
    aspect = np.where(glyph, rng.uniform(0.8, 1.4, count), rng.uniform(0.9, 1.1, count))
    mirrored = (rng.random(count) < 0.5) & ~glyph
    whole = {
        "count": np.zeros(count, dtype=np.int64),
        "thing": thing,
        "colour": colour,
        "second_colour": np.where(texture > 0, second, -1),
        "texture": texture,
        "inverted": np.zeros(count, dtype=bool),
    }
    real = {
        "writing": rng.random(count) * 0.999,
        "rgb": (RGB[colour] + jitter[0]).clip(0, 1),
        "second_rgb": (RGB[second] + jitter[1]).clip(0, 1),
        "texture_scale": rng.uniform(0.9, 1.7, count),
        "texture_turn": rng.uniform(-0.5, 0.5, count) + (rng.random(count) < 0.35) * np.pi / 2,
        "texture_shift": rng.uniform(0, TILE, (count, 2)),
        "x": np.zeros((count, MOST)),
        "y": np.zeros((count, MOST)),
        "radius": np.ones((count, MOST)),
        "turn": rng.uniform(-plan.turn, plan.turn, (count, MOST)) * np.where(glyph, 0.6, 1.0)[:, None],
        "shear": rng.normal(0, 1, count).clip(-2, 2) * np.where(glyph, 0.16, 0.04),
        "aspect": np.where(mirrored, -aspect, aspect),
        "grow": np.where(glyph, rng.uniform(-0.05, 0.1, count), rng.uniform(-0.015, 0.025, count)),
    }
    return Layer(**_tensors(whole), **_tensors(real))


def draw_scene(
    rng: np.random.Generator,
    plan: Plan,
    count: int,
    *,
    thing: Draws | None = None,
    colour: Draws | None = None,
    texture: Draws | None = None,
    copies: Draws | None = None,
    background: Draws | None = None,
) -> Scene:
    """Scenes of a main thing, perhaps in copies or with another thing beside it; what is given is not drawn by lot."""
    style = choose(rng, np.array([plan.styles.get(name, 0.0) for name in STYLES]), count)
    glyphs = rng.random(count) < plan.glyph_rate
    shape_odds, glyph_odds = thing_odds(unseen=plan.unseen)
    if thing is None:
        thing = choose(rng, np.where(glyphs[:, None], glyph_odds, shape_odds), count)
    main = draw_layer(rng, plan, thing, colour=colour, texture=texture)
    if copies is None:
        copies = np.where(rng.random(count) < plan.count_rate, rng.integers(2, MOST + 1, count), 1)
    paired = (rng.random(count) < plan.other_rate) & (copies == 1)
    others = np.where(
        (rng.random(count) < plan.glyph_rate / 2)[:, None],
        thing_odds(unseen=plan.unseen)[1],
        thing_odds(unseen=plan.unseen)[0],
    )
    others = others * (np.arange(len(THINGS))[None] != thing[:, None])
    other = draw_layer(rng, plan, choose(rng, others, count))

    x, y, radius = place_alone(rng, count, plan.radius, plan.aside_rate, large=thing >= len(SHAPES))
    x, y, radius = place_copies(rng, copies, x, y, radius)
    relation, (x, y, radius), (ox, oy, oradius) = place_pair(rng, paired, x, y, radius)
    main = replaced(main, count=copies, x=x, y=y, radius=radius)
    other = replaced(other, count=paired.astype(np.int64), x=ox, y=oy, radius=oradius)
    return finish_scene(rng, plan, (other, main), style=style, relation=relation, background=background)


def finish_scene(
    rng: np.random.Generator,
    plan: Plan,
    layers: tuple[Layer, ...],
    *,
    style: Draws,
    relation: Draws | None = None,
    background: Draws | None = None,
) -> Scene:
    """Put placed layers before a background they stand out from; the last layer counts as the main one."""
    count = len(style)
    options = np.ones((count, len(COLOURS) + len(BACKGROUNDS) - 1))
    for layer in layers:
        shown = np.where(style == STYLES.index("silhouette"), BLACK, layer.colour.numpy())
        distance = contrasts()[shown]
        fits = (distance > plan.contrast) & (distance < plan.clash) | (layer.count.numpy() == 0)[:, None]
        options = options * np.where(fits, 1.0, 1e-6)
    wall = rng.random((count, 1)) < plan.wall_rate
    odds = np.where(np.arange(options.shape[1])[None] < len(COLOURS), wall, ~wall) * options
    drawn = choose(rng, odds, count)
    chosen = np.where(drawn < len(COLOURS), 0, drawn - len(COLOURS) + 1)
    if background is not None:
        chosen = background
    wall_colour = np.where(chosen == 0, np.minimum(drawn, len(COLOURS) - 1), -1)
    rgb = (RGB[wall_colour.clip(0)] + rng.uniform(-0.05, 0.05, (count, 3))).clip(0, 1)
    for name, level in (("sketch", _PAPER), ("neon", _NIGHT)):
        special = style == STYLES.index(name)
        chosen, wall_colour = np.where(special, 0, chosen), np.where(special, -1, wall_colour)
        rgb = np.where(special[:, None], level, rgb)
    corrupted = rng.random(count) < plan.corruption_rate
    kinds = choose(rng, np.array([float(name in plan.corruptions) for name in CORRUPTIONS]), count)
    little = (layers[-1].radius[:, 0].numpy() < 10.5) & np.isin(
        kinds, [CORRUPTIONS.index(k) for k in ("blurry", "pixelated")]
    )
    corrupted &= ~little  # nothing would be left to recognise
    painted = style == STYLES.index("painting")
    written = layers[-1].thing.numpy() >= len(SHAPES)
    return Scene(
        layers=layers,
        **_tensors(
            {
                "background": chosen,
                "background_colour": wall_colour,
                "style": style,
                "corruption": np.where(corrupted, kinds, 0),
                "relation": np.full(count, -1) if relation is None else relation,
            }
        ),
        **_tensors(
            {
                "background_rgb": rgb,
                "background_scale": rng.uniform(0.75, 1.35, count),
                "background_shift": rng.uniform(0, TILE, (count, 2)),
                "strength": rng.random(count),
                "wobble": rng.uniform(0, plan.wobble, count) + painted * 0.7 + written * rng.uniform(0, 0.6, count),
            }
        ),
        noise_seed=int(rng.integers(2**40)),
    )


def _tensors(values: dict[str, np.ndarray]) -> dict[str, Tensor]:
    kinds = {"i": torch.int64, "f": torch.float32, "b": torch.bool}
    return {name: torch.from_numpy(np.ascontiguousarray(v)).to(kinds[v.dtype.kind]) for name, v in values.items()}


def replaced(layer: Layer, **values: np.ndarray) -> Layer:
    """A layer with some of its values changed."""
    return Layer(**{**vars(layer), **_tensors(values)})
