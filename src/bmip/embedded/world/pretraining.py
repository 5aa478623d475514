"""Endless images with captions to pre-train on, and what is true of each for auxiliary losses."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from bmip.embedded.world.captions import caption
from bmip.embedded.world.placing import RELATIONS, position_of
from bmip.embedded.world.plan import draw_scene, pretraining_plan
from bmip.embedded.world.render import render
from bmip.embedded.world.scene import Scene
from bmip.embedded.world.vocabulary import BACKGROUNDS, COLOURS, CORRUPTIONS, POSITIONS, STYLES, TEXTURES, THINGS

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "thing": THINGS,
    "colour": tuple(COLOURS),
    "second_colour": tuple(COLOURS),
    "texture": TEXTURES,
    "count": ("one", "two", "three", "four", "five"),
    "position": POSITIONS,
    "other_thing": THINGS,
    "other_colour": tuple(COLOURS),
    "other_texture": TEXTURES,
    "relation": RELATIONS,
    "background": BACKGROUNDS,
    "background_colour": tuple(COLOURS),
    "style": STYLES,
    "corruption": CORRUPTIONS,
}
"""Attribute -> what its numbers stand for."""


@dataclass(frozen=True)
class Sample:
    """A batch for pre-training."""

    images: UInt8[Tensor, "image 3 height width"]
    captions: list[str]
    attributes: dict[str, Int64[Tensor, " image"]]
    """Indices into ATTRIBUTES; -1 where an image has no such thing or does not show it (a silhouette's colour)."""


def sample(count: int, *, seed: int, difficulty: float = 1.0) -> Sample:
    """Draw images and captions; the same arguments give the same bytes.

    `difficulty` runs from 0, large plain single things, to 1, the whole world.
    """
    if not 0 <= difficulty <= 1:
        raise ValueError(
            f"difficulty is {difficulty}; it must lie between 0 (plain single things) and 1 (the whole world)"
        )
    rng = np.random.default_rng([seed, 0xB317])
    scene = draw_scene(rng, pretraining_plan(difficulty), count)
    return Sample(render(scene), caption(scene, rng), attributes_of(scene))


def attributes_of(scene: Scene) -> dict[str, Int64[Tensor, " image"]]:
    """What is true of the images of a pre-training scene."""
    other, main = scene.layers
    silhouette = scene.style == STYLES.index("silhouette")
    colourless = silhouette | (scene.style == STYLES.index("negative"))
    position = torch.from_numpy(position_of(main.x[:, 0].numpy(), main.y[:, 0].numpy()))
    alone = (main.count == 1) & (other.count == 0)

    def unless(hidden: Tensor, values: Tensor) -> Tensor:
        return torch.where(hidden, -1, values)

    absent = other.count == 0
    return {
        "thing": main.thing,
        "colour": unless(colourless, main.colour),
        "second_colour": unless(colourless, main.second_colour),
        "texture": unless(silhouette, main.texture),
        "count": unless(other.count > 0, main.count - 1),
        "position": unless(~alone, position),
        "other_thing": unless(absent, other.thing),
        "other_colour": unless(absent | colourless, other.colour),
        "other_texture": unless(absent | silhouette, other.texture),
        "relation": scene.relation,
        "background": scene.background,
        "background_colour": unless(scene.style == STYLES.index("negative"), scene.background_colour),
        "style": scene.style,
        "corruption": scene.corruption,
    }
