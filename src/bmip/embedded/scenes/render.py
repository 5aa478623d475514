"""Scenes to pixels: pictures are pasted on a background, then the whole image is changed.

Everything is elementwise or one look-up for each image, in float32: the bytes do not depend on the number of threads.
"""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from bmip.embedded.pictures import SIDE
from bmip.embedded.scenes.atlas import PAD, atlas
from bmip.embedded.scenes.scene import CORRUPTIONS, EFFECTS, Scene
from bmip.embedded.scenes.surfaces import TILE, grain, picture_tiles, texture_tiles

SIZE = 48
"""Pixels along each side of an image."""

Image = Float[Tensor, "image 3 height width"]

_CHUNK = 64  # images whose working set stays in the processor's cache


def render(scene: Scene) -> UInt8[Tensor, "image 3 48 48"]:
    """The images of a scene."""
    chunks = [_render_chunk(scene.at(slice(first, first + _CHUNK)), first) for first in range(0, len(scene), _CHUNK)]
    return torch.cat(chunks) if chunks else torch.zeros(0, 3, SIZE, SIZE, dtype=torch.uint8)


def _render_chunk(scene: Scene, offset: int) -> UInt8[Tensor, "image 3 48 48"]:
    canvas = _background(scene)
    for item in range(scene.picture.shape[1]):
        rows = torch.nonzero(scene.picture[:, item] >= 0)[:, 0]
        if len(rows):
            canvas[rows] = _pasted(canvas[rows], scene.at(rows), item)
    canvas = _corrupted(_changed(canvas, scene), scene, offset)
    return (canvas.clamp(0, 1) * 255).round().to(torch.uint8)


@cache
def _pixels() -> Float[Tensor, " width"]:
    return torch.arange(SIZE, dtype=torch.float32) + 0.5


def _background(scene: Scene) -> Image:
    first, second = (scene.colours[:, place, :, None, None] for place in (0, 1))
    x = (_pixels()[None, None] + scene.shift[:, :1, None]) * scene.scale[:, None, None]
    y = (_pixels()[None, :, None] + scene.shift[:, 1:, None]) * scene.scale[:, None, None]
    x, y = x.expand(-1, SIZE, -1), y.expand(-1, -1, SIZE)
    share = torch.zeros(len(scene), 1, SIZE, SIZE)
    graded = scene.surface == 1
    share[graded] = ((x + y) / (2.5 * SIZE))[graded, None].clamp(0, 1)
    textured = (scene.surface > 1) & (scene.surface <= len(texture_tiles()))
    share[textured] = _from_tile(texture_tiles()[scene.surface[textured] - 1], x[textured], y[textured])
    canvas = first + (second - first) * share
    pictured = scene.surface > len(texture_tiles())
    tiles = picture_tiles()[scene.surface[pictured] - len(texture_tiles()) - 1]
    canvas[pictured] = _from_tile(tiles, x[pictured], y[pictured])
    return canvas


def _from_tile(tiles: Tensor, x: Tensor, y: Tensor) -> Float[Tensor, "image channel height width"]:
    """Seamless tiles at pixel positions of any size."""
    wrapped = functional.pad(tiles, (0, 1, 0, 1), mode="circular")  # the sample between the last column and the first
    grid = torch.stack([x.remainder(TILE), y.remainder(TILE)], dim=-1) * (2 / TILE) - 1
    return functional.grid_sample(wrapped, grid, mode="bilinear", padding_mode="border", align_corners=True)


def _pasted(canvas: Image, scene: Scene, item: int) -> Image:
    """The canvas with one picture of each image on it."""
    x = _pixels()[None, None] - scene.x[:, item, None, None]
    y = _pixels()[None, :, None] - scene.y[:, item, None, None]
    turn, half = scene.turn[:, item, None, None].double(), scene.side[:, item, None, None] / 2
    cosine, sine = turn.cos().float(), turn.sin().float()
    across = (x * cosine + y * sine) / half * torch.where(scene.mirrored[:, item], -1.0, 1.0)[:, None, None]
    down = (y * cosine - x * sine) / half
    grid = torch.stack([across, down], dim=-1) * (SIDE / (SIDE + 2 * PAD))
    pictures = atlas()[scene.picture[:, item]].float() / 255
    found = functional.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return canvas * (1 - found[:, 3:]) + found[:, :3] * scene.tint[:, item, :, None, None]


def _changed(canvas: Image, scene: Scene) -> Image:
    for effect, name in enumerate(EFFECTS):
        rows = torch.nonzero(scene.effect == effect)[:, 0]
        if name == "none" or not len(rows):
            continue
        part = canvas[rows].clamp(0, 1)
        grey = (part * torch.tensor([0.3, 0.59, 0.11])[:, None, None]).sum(1, keepdim=True)
        if name == "grey":
            part = grey.expand_as(part)
        elif name == "inverted":
            part = 1 - part
        elif name == "posterised":
            part = (part * 3).round() / 3
        else:
            right = (grey - functional.pad(grey, (1, 0, 0, 0), mode="replicate")[..., :-1]).abs()
            below = (grey - functional.pad(grey, (0, 0, 1, 0), mode="replicate")[..., :-1, :]).abs()
            part = (1 - 2.5 * (right + below)).clamp(0, 1).expand_as(part)
        canvas[rows] = part
    return canvas


def _corrupted(canvas: Image, scene: Scene, offset: int) -> Image:
    for kind, name in enumerate(CORRUPTIONS):
        rows = torch.nonzero(scene.corruption == kind)[:, 0]
        if name == "none" or not len(rows):
            continue
        part, amount = canvas[rows], scene.strength[rows][:, None, None, None]
        if name == "noisy":
            part = part + (0.06 + 0.14 * amount) * grain(scene.noise_seed + offset, part)
        elif name == "blurry":
            part = part + (_blur(part) - part) * (0.6 + 0.4 * amount)
        elif name == "dark":
            part = part * (0.6 - 0.3 * amount)
        elif name == "faint":
            part = 0.6 + (part - 0.6) * (0.6 - 0.3 * amount)
        else:
            cells = functional.avg_pool2d(part, 3)
            part = functional.interpolate(cells, scale_factor=3, mode="nearest")
        canvas[rows] = part
    return canvas


def _blur(image: Image) -> Image:
    """A 3-pixel triangle filter in both directions."""
    for pad in ((1, 1, 0, 0), (0, 0, 1, 1)):
        padded = functional.pad(image, pad, mode="replicate")
        dim = 3 if pad[0] else 2
        before, here, after = (padded.narrow(dim, start, image.shape[dim]) for start in range(3))
        image = (before + 2 * here + after) / 4
    return image
