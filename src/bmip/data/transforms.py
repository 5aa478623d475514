"""Resizing, cropping and augmentation of uint8 images, and the normalisation that CLIP needs.

Resizing is torch's bicubic interpolation with antialiasing on uint8. On photographs it gives Pillow's pixels within
1/255, but for about two values in a million that differ by 2/255. It always resizes the width first, as CLIP's own
preprocessing did; Pillow 13 begins with the height of tall images and differs from both at hard edges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

LONGEST = 16  # times the shorter side; the middle square cannot tell
TRIES = 10  # torchvision's RandomResizedCrop gives up after ten boxes


@dataclass(frozen=True)
class Augmentation:
    """The random crops and flips of training images. The defaults are those of CoOp and its successors.

    Raises ValueError for ranges that are not rising, or not positive.
    """

    scale: tuple[float, float] = (0.08, 1.0)
    """The smallest and largest share of the image's area that a crop covers, in (0, 1]."""

    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    """The smallest and largest width of a crop divided by its height."""

    flip: bool = True
    """Mirror half of the images. It must be off where a mirror image has another class (digits, letters)."""

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1] <= 1:
            raise ValueError(f"scale {self.scale} must be two rising shares of the image's area, in (0, 1]")
        if not 0 < self.ratio[0] <= self.ratio[1]:
            raise ValueError(f"ratio {self.ratio} must be two rising positive numbers, width over height")


DEFAULT = Augmentation()


def resize(image: UInt8[Tensor, "3 height width"], height: int, width: int) -> UInt8[Tensor, "3 newheight newwidth"]:
    """Resizes by bicubic interpolation with antialiasing, like Pillow."""
    if image.shape[1:] == (height, width):
        return image
    return F.interpolate(image[None], size=(height, width), mode="bicubic", antialias=True)[0]


def centre_square(image: UInt8[Tensor, "3 height width"], size: int) -> UInt8[Tensor, "3 size size"]:
    """Resizes the shorter side to `size` and cuts out the centre square, for evaluation. (CLIP's preprocessing)"""
    short = min(image.shape[1:])
    for axis, side in enumerate(image.shape[1:], start=1):
        if side > LONGEST * short:  # a long strip could fill the memory when it is resized as a whole
            image = image.narrow(axis, (side - LONGEST * short) // 2, LONGEST * short)
    height, width = image.shape[1:]
    # torchvision rounds the longer side down, and the crop's corner half to even
    image = resize(image, size * height // short, size * width // short)
    top, left = (round((side - size) / 2) for side in image.shape[1:])
    return image[:, top : top + size, left : left + size]


def crop_box(
    height: int, width: int, draws: Sequence[Sequence[float]], augmentation: Augmentation
) -> tuple[int, int, int, int]:
    """The box (top, left, height, width) of torchvision's RandomResizedCrop.

    `draws` has one row of random numbers (area, ratio, top, left) in [0, 1) per try. If no try fits into the image, the
    box is the largest central one with an allowed ratio.
    """
    (smallest, largest), (narrow, wide) = augmentation.scale, augmentation.ratio
    for area_draw, ratio_draw, top_draw, left_draw in draws:
        area = height * width * (smallest + (largest - smallest) * area_draw)
        ratio = math.exp(math.log(narrow) + (math.log(wide) - math.log(narrow)) * ratio_draw)
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return int(top_draw * (height - h + 1)), int(left_draw * (width - w + 1)), h, w
    h, w = height, width
    if width / height < narrow:
        h = round(width / narrow)
    elif width / height > wide:
        w = round(height * wide)
    return (height - h) // 2, (width - w) // 2, h, w


def augmented(
    images: Sequence[Tensor], size: int, augmentation: Augmentation, generator: torch.Generator
) -> UInt8[Tensor, "image 3 {size} {size}"]:
    """A random crop of each image, resized to `size` and perhaps mirrored. Images are uint8 (3, height, width).

    The generator advances by an amount that depends only on the number of images, not on their sizes.
    """
    draws = torch.rand(len(images), TRIES, 4, generator=generator, dtype=torch.float64).tolist()
    flips = (torch.rand(len(images), generator=generator) < 0.5).tolist()
    batch = torch.empty(len(images), 3, size, size, dtype=torch.uint8)
    for row, image in enumerate(images):
        top, left, height, width = crop_box(image.shape[1], image.shape[2], draws[row], augmentation)
        crop = resize(image[:, top : top + height, left : left + width], size, size)
        batch[row] = crop.flip(-1) if augmentation.flip and flips[row] else crop
    return batch


def normalise(
    pixels: UInt8[Tensor, "image 3 height width"], mean: Sequence[float], std: Sequence[float]
) -> Float[Tensor, "image 3 height width"]:
    """Float32 pixels, normalised by the model's mean and standard deviation (of values in 0..1), on their device."""
    shift, spread = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (mean, std))
    return pixels.to(torch.float32).div_(255).sub_(shift).div_(spread)
