"""What styles and corruptions do to a drawn image."""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bmip.embedded.pictures.surfaces import grain, smooth_noise
from bmip.embedded.world.scene import Scene
from bmip.embedded.world.vocabulary import CORRUPTIONS, STYLES

Image = Float[Tensor, "image 3 height width"]
Distance = Float[Tensor, "image 1 height width"]


def sketch(canvas: Image, distance: Distance) -> Image:
    """A pencil line around an empty inside; the background must be paper."""
    line = (1.3 - (distance + 0.2).abs()).clamp(0, 1) * 0.85
    return canvas * (1 - line) + 0.16 * line


def neon(canvas: Image, distance: Distance, rgb: Float[Tensor, "image 3"]) -> Image:
    """A glowing tube along the edge."""
    away = (distance + 0.6).abs()
    tube = (1.5 - away).clamp(0, 1)
    glow = 1 / (1 + 0.35 * away * away)
    colour = 0.25 + 0.75 * rgb[:, :, None, None]
    return torch.maximum(canvas, (colour * glow + 0.5 * tube).clamp(0, 1))


def paint(canvas: Image, scene: Scene, offset: int) -> Image:
    """Brush strokes over paintings; `offset` is the place of the first image in its batch."""
    rows = torch.nonzero(scene.style == STYLES.index("painting"))[:, 0]
    if len(rows):
        fields = _brush_strokes()
        size = canvas.shape[-1]
        strokes = fields[(rows + offset) % len(fields), :, :size, :size]
        canvas[rows] = canvas[rows] + 0.07 * strokes
    return canvas


def mosaic(canvas: Image, scene: Scene) -> Image:
    """Square tiles of three pixels with grout between them."""
    rows = torch.nonzero(scene.style == STYLES.index("mosaic"))[:, 0]
    if len(rows):
        part = canvas[rows]
        tiles = _cell_means(part, 3)
        laid = tiles.repeat_interleave(3, 2).repeat_interleave(3, 3)
        laid[:, :, 2::3] *= 0.72
        laid[:, :, :, 2::3] *= 0.72
        canvas[rows] = laid
    return canvas


def corrupt(canvas: Image, scene: Scene, offset: int) -> Image:
    """Grain, blur, darkness, faintness or coarse pixels, as the scene says."""
    strength = scene.strength[:, None, None, None]
    for kind, name in enumerate(CORRUPTIONS):
        rows = torch.nonzero(scene.corruption == kind)[:, 0]
        if name == "none" or not len(rows):
            continue
        part, amount = canvas[rows], strength[rows]
        if name == "noisy":
            part = part + (0.08 + 0.17 * amount) * grain(scene.noise_seed + offset, part)
        elif name == "blurry":
            part = part + (_blur(_blur(part)) - part) * (0.6 + 0.4 * amount)
        elif name == "dark":
            part = part * (0.5 - 0.3 * amount)
        elif name == "faint":
            part = 0.55 + (part - 0.55) * (0.5 - 0.3 * amount)
        else:
            part = torch.where(amount > 0.6, _coarse(part, 6), _coarse(part, 4))
        canvas[rows] = part
    return canvas


def _blur(image: Image) -> Image:
    """A 5-pixel triangle filter in both directions."""
    for dim in (2, 3):
        pad = (0, 0, 2, 2) if dim == 2 else (2, 2, 0, 0)
        padded = functional.pad(image, pad, mode="replicate")
        shifted = [padded.narrow(dim, k, image.shape[dim]) for k in range(5)]
        image = (shifted[0] + 2 * shifted[1] + 3 * shifted[2] + 2 * shifted[3] + shifted[4]) / 9
    return image


def _coarse(image: Image, cell: int) -> Image:
    """Averages over cells, smoothly enlarged, as small scans are; a cell of six pixels leaves 8 x 8 values."""
    return functional.interpolate(_cell_means(image, cell), scale_factor=cell, mode="bilinear", align_corners=False)


def _cell_means(image: Image, cell: int) -> Float[Tensor, "image 3 row column"]:
    """Means over square cells, added in a fixed order."""
    total = torch.zeros_like(image[:, :, ::cell, ::cell])
    for row in range(cell):
        for column in range(cell):
            total = total + image[:, :, row::cell, column::cell]
    return total / cell**2


@cache
def _brush_strokes() -> Float[Tensor, "field 1 height width"]:
    """Streaks of paint around 0."""
    turns = [(1.0, 5.0), (5.0, 1.0), (2.0, 6.0), (6.0, 2.0)]
    return torch.from_numpy(
        np.stack([smooth_noise(200 + k, slope=0.8, stretch=s) for k, s in enumerate(turns)])[:, None]
    ).float()
