"""Scenes drawn by lot: a plan holds the odds, `compose` throws the dice."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bmip.embedded.pictures import things
from bmip.embedded.scenes.atlas import PEN, first_written, is_black, pictures_of
from bmip.embedded.scenes.render import SIZE
from bmip.embedded.scenes.scene import COLOURS, CORRUPTIONS, EFFECTS, MOST, Scene
from bmip.embedded.scenes.surfaces import PICTURES, TEXTURES, TILE

Draws = Int64[np.ndarray, " image"]

SEEN = ("noto", "twemoji", "emojione", "emojione-black", PEN)
"""The families whose pictures pre-training shows; it never shows the others."""

RELATIONS = ("left", "right", "above", "below")
"""Where the main thing lies as seen from the other one."""

SURFACES = ("plain", "graded", *list(TEXTURES)[1:], *PICTURES)
"""The backgrounds, in the order of `Scene.surface`."""

_RGB = np.array(list(COLOURS.values()), dtype=np.float64) / 255
_DARK_TILES = ("night", "lava", "chessboard", "carpet", "forest")
_LUMA = np.array([0.3, 0.59, 0.11])
_STEPS = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)], dtype=np.float64)
_CELLS = np.array([(x, y) for y in (-15.5, 0.0, 15.5) for x in (-15.5, 0.0, 15.5)])


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The odds of one kind of scene; rates are probabilities, lengths are pixels."""

    families: tuple[str, ...] = SEEN
    """Where the pictures come from; each has the same chance, where it has drawn the thing."""

    side: tuple[float, float] = (27.0, 50.0)
    """The least and greatest side of a single picture."""

    turn: float = 0.45
    """The greatest turn either way, in radians."""

    mirror_rate: float = 0.5
    tint: float = 0.15
    """How far the factors of the colours may lie below 1."""

    plain_rate: float = 0.35
    graded_rate: float = 0.15
    texture_rate: float = 0.2
    """Of a background with a texture; what the three rates leave is a tiled picture, such as grass."""

    count_rate: float = 0.0
    """Of showing two to five copies."""

    other_rate: float = 0.0
    """Of a second, different thing beside the first."""

    clutter: int = 0
    """Small other things behind the main one, at most three."""

    effect_rate: float = 0.0
    effects: tuple[str, ...] = EFFECTS[1:]
    corruption_rate: float = 0.0
    corruptions: tuple[str, ...] = CORRUPTIONS[1:]


def pretraining_plan(difficulty: float) -> Plan:
    """From large single things on plain backgrounds at 0 to everything that a scene may have at 1."""
    d = difficulty
    return Plan(
        side=(42 - 16 * d, 50.0),
        turn=0.1 + 0.4 * d,
        tint=0.2 * d,
        plain_rate=0.7 - 0.35 * d,
        texture_rate=0.25 * d,
        count_rate=0.12 * d,
        other_rate=0.22 * d,
        effect_rate=0.2 * d,
        corruption_rate=0.15 * d,
    )


@dataclass(frozen=True, kw_only=True)
class Content:
    """What is true of the images of a scene. Numbers are places in the lists of names."""

    thing: Draws
    """The main thing, among `shown_things()`; it is not there where there are no copies."""

    copies: Draws
    other: Draws
    """The thing beside it, or -1."""

    relation: Draws
    """Where the main thing lies as seen from the other one; -1 without one."""

    surface: Draws
    colour: Draws
    """The colour of a plain background; -1 for other backgrounds."""

    effect: Draws
    corruption: Draws

    def __len__(self) -> int:
        return len(self.thing)

    def at(self, rows: np.ndarray) -> Content:
        """Some of the images."""
        return Content(**{field.name: getattr(self, field.name)[rows] for field in fields(Content)})


@cache
def held_out() -> frozenset[int]:
    """The things that pre-training never shows: one in eight of every kind, beginning with the sixth.

    Captions name four of them, and some within longer names: docs/embedded.md lists these.
    """
    kinds: dict[str, list[int]] = {}
    for place, thing in enumerate(things()):
        kinds.setdefault(thing.kind, []).append(place)
    return frozenset(place for members in kinds.values() for place in members[5::8])


def choose(rng: np.random.Generator, odds: Float[np.ndarray, "image option"]) -> Draws:
    """One option for each image, by odds that need not add up to 1 but must not all be 0."""
    cumulative = np.cumsum(odds, axis=1)
    return (rng.random((len(odds), 1)) * cumulative[:, -1:] >= cumulative).sum(axis=1)


def pictures(rng: np.random.Generator, families: tuple[str, ...], thing: Draws) -> Draws:
    """For each thing one of its pictures in the families."""
    options = pictures_of(families)[thing]
    return np.take_along_axis(options, choose(rng, (options >= 0).astype(np.float64))[:, None], axis=1)[:, 0]


def compose(
    rng: np.random.Generator,
    plan: Plan,
    thing: Draws,
    *,
    others: Int64[np.ndarray, " option"],
    copies: Draws | None = None,
    other: Draws | None = None,
    relation: Draws | None = None,
    surface: Draws | None = None,
) -> tuple[Scene, Content]:
    """Scenes of the things; what is given is not drawn by lot. `others` are the things that may stand beside them.

    Digits and letters are written in colours that stand out, never mirrored, and alone unless `copies` says otherwise.
    """
    count = len(thing)
    if copies is None:
        many = (rng.random(count) < plan.count_rate) & (thing < len(things()))
        copies = np.where(many, rng.integers(2, MOST + 1, count), 1)
    if other is None:
        beside = (rng.random(count) < plan.other_rate) & (copies == 1)
        other = np.where(beside, _other_than(rng, thing, others), -1)
    if relation is None:
        relation = rng.integers(0, len(RELATIONS), count)
    relation = np.where(other >= 0, relation, -1)

    slots = MOST + max(plan.clutter, 1)  # behind the copies stands the other thing, or clutter
    picture = np.full((count, slots), -1)
    x, y, side = (np.full((count, slots), SIZE / 2) for _ in range(3))
    main = slice(slots - MOST, slots)
    shown = np.arange(MOST)[None] < copies[:, None]
    picture[:, main] = np.where(shown, pictures(rng, plan.families, thing)[:, None], -1)
    x[:, main], y[:, main], side[:, main] = _places(rng, plan, copies)
    _set_beside(rng, plan, other, relation, picture, x, y, side)
    for slot in range(plan.clutter):
        picture[:, slot] = pictures(rng, plan.families, _other_than(rng, thing, others))
        x[:, slot], y[:, slot] = rng.uniform(4, SIZE - 4, (2, count))
        side[:, slot] = rng.uniform(11, 17, count)

    black = np.any((picture >= 0) & is_black()[picture], axis=1)
    surface, colour, colours = _background(rng, plan, count, surface, black)
    written = picture >= first_written()
    turn = rng.uniform(-plan.turn, plan.turn, (count, slots)) * np.where(written, 0.4, 1.0)
    mirrored = (rng.random((count, 1)) < plan.mirror_rate) & ~written
    tint = 1 - plan.tint * rng.random((count, slots, 3))
    tint = np.where(written[..., None], _ink(rng, surface, colours)[:, None], tint)
    effect = _sometimes(rng, plan.effect_rate, plan.effects, EFFECTS, count)
    corruption = _sometimes(rng, plan.corruption_rate, plan.corruptions, CORRUPTIONS, count)
    scene = Scene(
        picture=torch.from_numpy(picture),
        x=_real(x),
        y=_real(y),
        side=_real(side),
        turn=_real(turn),
        mirrored=torch.from_numpy(mirrored),
        tint=_real(tint),
        surface=torch.from_numpy(surface),
        colours=_real(colours),
        shift=_real(rng.uniform(0, TILE, (count, 2)) * (surface > 1)[:, None]),
        scale=_real(rng.uniform(0.7, 1.4, count)),
        effect=torch.from_numpy(effect),
        corruption=torch.from_numpy(corruption),
        strength=_real(rng.random(count)),
        noise_seed=int(rng.integers(2**40)),
    )
    content = Content(
        thing=thing, copies=copies, other=other, relation=relation, surface=surface, colour=colour, effect=effect,
        corruption=corruption,
    )  # fmt: skip
    return scene, content


def _other_than(rng: np.random.Generator, thing: Draws, others: Int64[np.ndarray, " option"]) -> Draws:
    found = others[rng.integers(0, len(others), len(thing))]
    return np.where(found == thing, others[(np.searchsorted(others, found) + 1) % len(others)], found)


def _places(
    rng: np.random.Generator, plan: Plan, copies: Draws
) -> tuple[Float[np.ndarray, "image copy"], Float[np.ndarray, "image copy"], Float[np.ndarray, "image copy"]]:
    """Centres and sides: one thing near the middle, several in cells picked by lot."""
    count = len(copies)
    single = rng.uniform(*plan.side, count)
    room = ((SIZE - single) / 2).clip(0, None)
    centre = SIZE / 2 + rng.uniform(-1, 1, (count, 2)) * (room + 3)[:, None] * 0.7
    cells = np.argsort(rng.random((count, len(_CELLS))), axis=1)[:, :MOST]
    spread = SIZE / 2 + _CELLS[cells] + rng.uniform(-1, 1, (count, MOST, 2))
    many = (copies > 1)[:, None]
    x = np.where(many, spread[..., 0], centre[:, :1])
    y = np.where(many, spread[..., 1], centre[:, 1:])
    return x, y, np.where(many, rng.uniform(13, 17, (count, MOST)), single[:, None])


def _set_beside(
    rng: np.random.Generator,
    plan: Plan,
    other: Draws,
    relation: Draws,
    picture: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    side: np.ndarray,
) -> None:
    """Moves the main thing to its side of the image, and puts the other one on the opposite side."""
    rows = np.nonzero(other >= 0)[0]
    main, behind = picture.shape[1] - MOST, picture.shape[1] - MOST - 1
    step = _STEPS[relation[rows]] * 12
    slide = rng.uniform(-5, 5, (2, len(rows), 2)) * (step == 0)
    picture[rows, behind] = pictures(rng, plan.families, other[rows])
    for slot, sign in ((main, 1), (behind, -1)):
        place = SIZE / 2 + sign * step + slide[(sign + 1) // 2]
        x[rows, slot], y[rows, slot] = place[:, 0], place[:, 1]
        side[rows, slot] = rng.uniform(18, 25, len(rows))


def _background(
    rng: np.random.Generator,
    plan: Plan,
    count: int,
    surface: Draws | None,
    black: Bool[np.ndarray, " image"],
) -> tuple[Draws, Draws, Float[np.ndarray, "image 2 3"]]:
    """Surfaces, named colours of plain ones, and the two colours of each; light ones behind black pictures."""
    textures = len(TEXTURES) - 1
    rates = (plan.plain_rate, plan.graded_rate, plan.texture_rate)
    odds = np.array(
        [rates[0], rates[1], *[rates[2] / textures] * textures, *[(1 - sum(rates)) / len(PICTURES)] * len(PICTURES)]
    )
    if surface is None:
        light = ~np.isin(SURFACES, _DARK_TILES)
        surface = choose(rng, odds * (light | ~black[:, None]))
    named = rng.permuted(np.tile(np.arange(len(COLOURS)), (count, 1)), axis=1)
    dark = _RGB[named] @ _LUMA < 0.5
    named = np.take_along_axis(named, np.argsort(dark & black[:, None], axis=1, kind="stable"), axis=1)[:, :2]
    colours = (_RGB[named] + rng.uniform(-0.06, 0.06, (count, 2, 3))).clip(0, 1)
    return surface, np.where(surface == 0, named[:, 0], -1), colours


def _ink(
    rng: np.random.Generator, surface: Draws, colours: Float[np.ndarray, "image 2 3"]
) -> Float[np.ndarray, "image 3"]:
    """A colour that stands out from the background's; white or black on a tiled picture."""
    used = np.where((surface == 0)[:, None], colours[:, :1] @ _LUMA, colours @ _LUMA)
    apart = np.abs(used[:, :, None] - (_RGB @ _LUMA)).min(axis=1)
    extreme = np.isin(np.arange(len(_RGB)), [list(COLOURS).index(name) for name in ("white", "black")])
    tiled = (surface >= SURFACES.index(next(iter(PICTURES))))[:, None]
    odds = np.where(tiled, extreme, apart > 0.25) + 1e-6 * apart
    return (_RGB[choose(rng, odds)] + rng.uniform(-0.05, 0.05, (len(surface), 3))).clip(0, 1)


def _sometimes(
    rng: np.random.Generator, rate: float, wanted: tuple[str, ...], names: tuple[str, ...], count: int
) -> Draws:
    numbers = np.array([names.index(name) for name in wanted])
    return np.where(rng.random(count) < rate, numbers[rng.integers(0, len(numbers), count)], 0)


def _real(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).float()
