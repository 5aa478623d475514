"""Scenes to pixels: each thing is looked up in an atlas of signed distances, so outlines, shadows and glows are cheap.

Everything is elementwise or one `grid_sample` per image, in float32: the bytes do not depend on the number of threads.
"""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from bmip.embedded.pictures.surfaces import TILE, picture_tiles, smooth_noise, texture_tiles
from bmip.embedded.world.distance import EXTENT, RESOLUTION
from bmip.embedded.world.finish import corrupt, mosaic, neon, paint, sketch
from bmip.embedded.world.glyphs import WRITINGS, draw_glyph
from bmip.embedded.world.scene import Layer, Scene
from bmip.embedded.world.shapes import DRAWINGS
from bmip.embedded.world.vocabulary import BACKGROUNDS, STYLES

SIZE = 48
"""Pixels along each side of an image."""

Image = Float[Tensor, "image 3 height width"]
Plane = Float[Tensor, "image height width"]

_CHUNK = 64  # images whose working set stays in the processor's cache


def render(scene: Scene) -> UInt8[Tensor, "image 3 48 48"]:
    """Draw the images of a scene."""
    chunks = [_render_chunk(scene.at(slice(k, k + _CHUNK)), k) for k in range(0, len(scene), _CHUNK)]
    return torch.cat(chunks) if chunks else torch.zeros(0, 3, SIZE, SIZE, dtype=torch.uint8)


def _render_chunk(scene: Scene, offset: int) -> UInt8[Tensor, "image 3 48 48"]:
    canvas = _background(scene)
    wobble = _wobble(scene, offset)
    for layer in scene.layers:
        rows = torch.nonzero(layer.count)[:, 0]
        if len(rows):
            part = scene.at(rows)
            shown = Layer(**{name: value[rows] for name, value in vars(layer).items()})
            distance = _distance(shown, wobble[rows])
            canvas[rows] = _draw(part, shown, distance, canvas[rows])
    canvas = paint(canvas, scene, offset)
    canvas = mosaic(canvas, scene)
    canvas = torch.where(_is_style(scene, "negative")[:, None, None, None], 1 - canvas, canvas)
    canvas = corrupt(canvas, scene, offset)
    return (canvas.clamp_(0, 1) * 255 + 0.5).to(torch.uint8)


@cache
def distance_atlas() -> Float[Tensor, "drawing 1 height width"]:
    """All shapes, then all ways of writing all glyphs."""
    fields = [draw() for draw in DRAWINGS.values()]
    fields += [draw_glyph(strokes) for writings in WRITINGS.values() for strokes in writings]
    return torch.from_numpy(np.stack(fields)[:, None]).float()


@cache
def _first_and_number() -> tuple[Int64[Tensor, " thing"], Int64[Tensor, " thing"]]:
    """For each thing its first row in the atlas and how many rows it has."""
    number = torch.tensor([1] * len(DRAWINGS) + [len(writings) for writings in WRITINGS.values()])
    return number.cumsum(0) - number, number


@cache
def _pixels() -> Float[Tensor, " width"]:
    return torch.arange(SIZE, dtype=torch.float32) + 0.5


def _is_style(scene: Scene, name: str) -> Tensor:
    return scene.style == STYLES.index(name)


def _from_tile(tiles: Tensor, x: Plane, y: Plane) -> Float[Tensor, "image channel height width"]:
    """Look seamless tiles up at pixel positions of any size."""
    wrapped = functional.pad(tiles, (0, 1, 0, 1), mode="circular")  # the sample between last and first column
    grid = torch.stack([x.remainder(TILE), y.remainder(TILE)], dim=-1) * (2 / TILE) - 1
    return functional.grid_sample(wrapped, grid, mode="bilinear", padding_mode="border", align_corners=True)


def _background(scene: Scene) -> Image:
    picture = picture_tiles()[(scene.background - 1).clamp(min=0)]
    shift, scale = scene.background_shift, scene.background_scale[:, None, None]
    x = (_pixels()[None, None] + shift[:, :1, None]) * scale
    y = (_pixels()[None, :, None] + shift[:, 1:, None]) * scale
    pictures = _from_tile(picture, x.expand(-1, SIZE, -1), y.expand(-1, -1, SIZE))
    # a plain wall is lit from above
    light = 1.04 - 0.08 * _pixels()[None, None, :, None] / SIZE
    plain = scene.background_rgb[:, :, None, None] * light
    wall = (scene.background == BACKGROUNDS.index("plain"))[:, None, None, None]
    return torch.where(wall, plain, pictures * (0.85 + 0.15 * scene.background_rgb.mean(1)[:, None, None, None]))


@cache
def _wobble_fields() -> Float[Tensor, "field 2 height width"]:
    """Smooth displacements of deviation 1 that make a line look hand-drawn."""
    fields = [[smooth_noise(100 + 2 * k + axis, slope=2.2) for axis in range(2)] for k in range(12)]
    return torch.from_numpy(np.array(fields)).float().clamp_(-2, 2)


def _wobble(scene: Scene, offset: int) -> Float[Tensor, "image 2 height width"]:
    fields = _wobble_fields()
    which = (torch.arange(len(scene)) + offset) % len(fields)
    return fields[which, :, :SIZE, :SIZE] * scene.wobble[:, None, None, None]


def _distance(layer: Layer, wobble: Float[Tensor, "image 2 height width"]) -> Plane:
    """Signed distance in pixels to the nearest copy of each image's thing."""
    first, number = _first_and_number()
    drawing = first[layer.thing] + (layer.writing * number[layer.thing]).long()
    nearest = torch.full((len(layer.count), SIZE, SIZE), float(SIZE))
    for copy in range(int(layer.count.max())):
        rows = torch.nonzero(layer.count > copy)[:, 0]
        x = _pixels()[None, None] - layer.x[rows, copy, None, None] + wobble[rows, 0]
        y = _pixels()[None, :, None] - layer.y[rows, copy, None, None] + wobble[rows, 1]
        radius = layer.radius[rows, copy, None, None]
        turn = layer.turn[rows, copy, None, None].double()
        cosine, sine = turn.cos().float(), turn.sin().float()
        v = (y * cosine - x * sine) / radius
        u = (x * cosine + y * sine) / radius / layer.aspect[rows, None, None] + v * layer.shear[rows, None, None]
        grid = torch.stack([u, v], dim=-1) / EXTENT
        field = functional.grid_sample(
            distance_atlas()[drawing[rows]], grid, mode="bilinear", padding_mode="border", align_corners=False
        )[:, 0]
        edge = EXTENT * (1 - 1 / RESOLUTION)  # beyond the atlas the way back to it is added
        field = field + (u.abs() - edge).clamp(min=0) + (v.abs() - edge).clamp(min=0)
        nearest[rows] = torch.minimum(nearest[rows], (field - layer.grow[rows, None, None]) * radius)
    return torch.where(layer.inverted[:, None, None], -nearest, nearest)


def _fill(layer: Layer) -> Image:
    """The thing's own surface: its first colour, patterned with its second."""
    fill = layer.rgb[:, :, None, None].expand(-1, -1, SIZE, SIZE).clone()
    rows = torch.nonzero(layer.texture)[:, 0]
    if len(rows):
        turn = layer.texture_turn[rows, None, None].double()
        cosine, sine = turn.cos().float(), turn.sin().float()
        scale = layer.texture_scale[rows, None, None]
        x, y = _pixels()[None, None], _pixels()[None, :, None]
        u = (x * cosine + y * sine) * scale + layer.texture_shift[rows, 0, None, None]
        v = (y * cosine - x * sine) * scale + layer.texture_shift[rows, 1, None, None]
        share = _from_tile(texture_tiles()[layer.texture[rows]], u, v)
        fill[rows] += (layer.second_rgb[rows, :, None, None] - fill[rows]) * share
    return fill


def _draw(scene: Scene, layer: Layer, distance: Plane, canvas: Image) -> Image:
    """One layer onto the canvas, in each image's style."""
    inside = (0.5 - distance).clamp(0, 1)[:, None]
    drawn = canvas.clone()
    for style, name in enumerate(STYLES):
        rows = torch.nonzero(scene.style == style)[:, 0]
        if not len(rows):
            continue
        part, mask, d = canvas[rows], inside[rows], distance[rows, None]
        here = Layer(**{field: value[rows] for field, value in vars(layer).items()})
        if name == "silhouette":
            drawn[rows] = part + (0.06 - part) * mask
        elif name == "sketch":
            drawn[rows] = sketch(part, d)
        elif name == "neon":
            drawn[rows] = neon(part, d, here.rgb)
        elif name in ("cartoon", "mosaic"):
            outlined = part + (0.05 - part) * (1.7 - d).clamp(0, 1) if name == "cartoon" else part
            drawn[rows] = outlined + (_fill(here) - outlined) * mask
        else:
            drawn[rows] = _solid(part, _fill(here), mask, d)
    return drawn


def _solid(canvas: Image, fill: Image, mask: Tensor, distance: Tensor) -> Image:
    """A body that casts a shadow and whose edge catches light from the upper left."""
    padded = functional.pad(distance, (2, 0, 2, 0), mode="replicate")
    moved = padded[:, :, :SIZE, :SIZE]  # the distance two pixels up and left
    shadow = (0.55 * (1 - moved / 2.5)).clamp(0, 0.45)
    slope = (distance - moved) * 0.35  # positive towards the lower right
    light = 1 - slope * (1 + distance / 4).clamp(0, 1) * 0.35
    shaded = canvas * (1 - shadow)
    return shaded + ((fill * light).clamp(0, 1) - shaded) * mask
