import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_sample_image

from bmip.data.transforms import Augmentation, augmented, centre_square, crop_box, normalise, resize

PHOTO = torch.from_numpy(load_sample_image("china.jpg").copy()).permute(2, 0, 1)  # a real photograph, 427 x 640
BICUBIC = Image.Resampling.BICUBIC


def pillow(image: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Pillow's resize, the width first whatever the version."""
    resized = Image.fromarray(image.permute(1, 2, 0).numpy())
    for size in ((width, image.shape[1]), (width, height)):
        resized = resized.resize(size, BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1)


def difference(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one.int() - other.int()).abs()


def equal(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal within 1/255; two roundings, one per direction, make about two values in a million differ by 2/255."""
    off = difference(one, other)
    return int(off.max()) <= 2 and int((off > 1).sum()) <= 2 + off.numel() // 50_000


sides = st.integers(2, 120)


@settings(max_examples=60)
@given(st.integers(0, 300), st.integers(0, 500), sides, sides, sides, sides)
def test_resizing_gives_pillows_pixels(top: int, left: int, height: int, width: int, to: int, wide: int) -> None:
    """A rounding off by one in the first direction reaches the result at most 1.25 times, then comes the second."""
    crop = PHOTO[:, top : top + height, left : left + width]
    off = difference(resize(crop, to, wide), pillow(crop, to, wide))
    assert int(off.max()) <= 2


@pytest.mark.parametrize("size", [48, 224, 336])
@pytest.mark.parametrize("box", [(0, 0, 427, 640), (0, 100, 427, 301), (200, 10, 60, 90), (5, 9, 225, 224)])
def test_what_is_judged_is_clips_preprocessing(size: int, box: tuple[int, int, int, int]) -> None:
    """Resize to the shorter side, then the middle, as torchvision does on Pillow images."""
    top, left, height, width = box
    image = PHOTO[:, top : top + height, left : left + width]
    new = (size, int(size * width / height)) if height <= width else (int(size * height / width), size)
    y, x = round((new[0] - size) / 2.0), round((new[1] - size) / 2.0)
    expected = pillow(image, *new)[:, y : y + size, x : x + size]
    assert equal(centre_square(image, size), expected)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(2, 40))
def test_every_shape_becomes_a_square(height: int, width: int, size: int) -> None:
    assert centre_square(torch.zeros(3, height, width, dtype=torch.uint8), size).shape == (3, size, size)


def test_a_strip_is_judged_by_its_middle() -> None:
    strip = torch.zeros(3, 2, 2_000_000, dtype=torch.uint8)  # whole at 64 pixels: 12 GB
    strip[..., 1_000_000:] = 255
    square = centre_square(strip, 64)
    assert int(square[..., 0].max()) < 64 < 192 < int(square[..., -1].min())


def test_an_image_of_the_right_size_stays_as_it_is() -> None:
    image = PHOTO[:, :64, :64]
    assert torch.equal(centre_square(image, 64), image)


def torchvision_box(height, width, scale, ratio, draws):
    """RandomResizedCrop.get_params with its random numbers given: uniform, log-uniform, and two integers."""
    area = height * width
    log_ratio = [math.log(r) for r in ratio]
    for a, r, i, j in draws:
        target_area = area * (scale[0] + (scale[1] - scale[0]) * a)
        aspect_ratio = math.exp(log_ratio[0] + (log_ratio[1] - log_ratio[0]) * r)
        w = round(math.sqrt(target_area * aspect_ratio))
        h = round(math.sqrt(target_area / aspect_ratio))
        if 0 < w <= width and 0 < h <= height:
            return math.floor(i * (height - h + 1)), math.floor(j * (width - w + 1)), h, w
    in_ratio = float(width) / float(height)
    if in_ratio < min(ratio):
        w = width
        h = round(w / min(ratio))
    elif in_ratio > max(ratio):
        h = height
        w = round(h * max(ratio))
    else:
        w = width
        h = height
    return (height - h) // 2, (width - w) // 2, h, w


unit = st.floats(0, 1, exclude_max=True)
tries = st.lists(st.tuples(unit, unit, unit, unit), min_size=0, max_size=10)


@given(st.integers(1, 600), st.integers(1, 600), tries)
def test_the_crop_is_torchvisions(height: int, width: int, draws: list[tuple[float, ...]]) -> None:
    augmentation = Augmentation()
    box = crop_box(height, width, draws, augmentation)
    assert box == torchvision_box(height, width, augmentation.scale, augmentation.ratio, draws)
    top, left, h, w = box
    assert 0 <= top <= top + h <= height
    assert 0 <= left <= left + w <= width
    assert min(h, w) >= 1


def test_crops_are_pillows_crops() -> None:
    augmentation = Augmentation(flip=False)
    images = [PHOTO, PHOTO[:, 100:200, 300:350]] * 10
    ours = augmented(images, 96, augmentation, torch.Generator().manual_seed(3))
    draws = torch.rand(20, 10, 4, generator=torch.Generator().manual_seed(3), dtype=torch.float64).tolist()
    for image, crop, drawn in zip(images, ours, draws, strict=True):
        top, left, h, w = crop_box(image.shape[1], image.shape[2], drawn, augmentation)
        assert equal(crop, pillow(image[:, top : top + h, left : left + w], 96, 96))


def test_half_of_the_images_are_flipped_or_none() -> None:
    half = torch.zeros(3, 16, 16, dtype=torch.uint8)
    half[..., 8:] = 255
    whole = {"scale": (1.0, 1.0), "ratio": (1.0, 1.0)}
    generator = torch.Generator().manual_seed(0)
    flipped = augmented([half] * 400, 16, Augmentation(**whole), generator)[:, 0, 0, 0] == 255
    assert 150 < int(flipped.sum()) < 250
    assert not (augmented([half] * 50, 16, Augmentation(**whole, flip=False), generator)[:, 0, 0, 0] == 255).any()


def test_crops_cover_their_share_of_the_image() -> None:
    draws = torch.rand(4000, 10, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).tolist()
    boxes = [crop_box(200, 300, drawn, Augmentation()) for drawn in draws]
    shares = np.array([h * w / 60000 for _, _, h, w in boxes])
    ratios = np.array([w / h for _, _, h, w in boxes])
    assert 0.079 < shares.min() < shares.max() < 0.9
    assert 0.74 < ratios.min() < ratios.max() < 1.35
    others = np.random.default_rng(1).random((4000, 10, 4)).tolist()
    plain = [torchvision_box(200, 300, (0.08, 1.0), (3 / 4, 4 / 3), drawn) for drawn in others]
    assert abs(shares.mean() - np.mean([h * w / 60000 for _, _, h, w in plain])) < 0.02
    for ours, theirs in zip(zip(*boxes, strict=True), zip(*plain, strict=True), strict=True):
        assert np.allclose(np.quantile(ours, [0.1, 0.5, 0.9]), np.quantile(theirs, [0.1, 0.5, 0.9]), atol=8)


@pytest.mark.parametrize("options", [{"scale": (0.0, 1.0)}, {"scale": (0.9, 0.5)}, {"ratio": (2.0, 1.0)}])
def test_impossible_augmentations_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="must be two rising"):
        Augmentation(**options)


def test_normalising_is_per_channel_in_float32() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    values = normalise(pixels, (0.5, 0.2, 0.0), (0.5, 1.0, 0.25))
    assert values.dtype == torch.float32
    assert torch.allclose(values[1, :, 2, 3], torch.tensor([-1.0, 0.0, 4.0]))
