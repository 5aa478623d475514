"""How a CLIP's images are prepared: the normalisation is taken over; what else differs from OpenAI's way is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bmip.clip.loading.backbones import BackboneError
from bmip.clip.model import CLIPConfig

Triple = tuple[float, float, float]

_TRANSFORMERS = {
    "do_resize": True,
    "do_center_crop": True,
    "do_rescale": True,
    "do_normalize": True,
    "rescale_factor": 1 / 255,
    "offset": False,
    "resample": 3,  # bicubic, by Pillow's number
}
_OPEN_CLIP = {"mode": "RGB", "interpolation": "bicubic", "resize_mode": "shortest"}


@dataclass(frozen=True)
class Normalisation:
    """What is subtracted from each colour, 0 to 1, and by what the rest is divided."""

    mean: Triple = CLIPConfig.mean
    std: Triple = CLIPConfig.std


OPENAI = Normalisation()


def of_transformers(given: Mapping[str, Any], file: Path, side: int) -> Normalisation:
    """The normalisation that an image processor of `transformers` gives images of `side` pixels.

    Raises BackboneError where it prepares images in another way than OpenAI.
    """
    expected = {**_TRANSFORMERS, "size": {"shortest_edge": side}, "crop_size": {"height": side, "width": side}}
    sizes: dict[str, Any] = {}
    if isinstance(size := given.get("size"), int):  # as older versions write it
        sizes["size"] = {"shortest_edge": size}
    if isinstance(crop := given.get("crop_size"), int):
        sizes["crop_size"] = {"height": crop, "width": crop}
    _compare({**given, **sizes}, expected, file)
    return normalisation(given.get("image_mean"), given.get("image_std"), file)


def of_open_clip(given: Mapping[str, Any], file: Path, side: int) -> Normalisation:
    """Like `of_transformers`, for the section preprocess_cfg of an open_clip_config.json."""
    size = [side, side] if isinstance(given.get("size"), list) else side
    _compare(given, {**_OPEN_CLIP, "size": size}, file)
    return normalisation(given.get("mean"), given.get("std"), file)


def _compare(given: Mapping[str, Any], expected: Mapping[str, Any], file: Path) -> None:
    for key, needed in expected.items():
        if given.get(key) not in (None, needed):
            raise BackboneError(
                f"{file}: images are to be prepared with {key} {given[key]!r}; bmip prepares them as OpenAI does, with "
                f"{needed!r}: the shorter side resized with bicubic interpolation, and the centre cut out"
            )


def normalisation(mean: object, std: object, file: Path) -> Normalisation:
    """The normalisation with this mean and deviation of each colour; OpenAI's where one is None.

    Raises BackboneError for what is none.
    """
    return Normalisation(_triple(mean, CLIPConfig.mean, file), _triple(std, CLIPConfig.std, file))


def _triple(value: object, otherwise: Triple, file: Path) -> Triple:
    if value is None:
        return otherwise
    listed = value if isinstance(value, (list, tuple)) else ()
    numbers = [float(one) for one in listed if isinstance(one, int | float)]
    if not len(numbers) == len(listed) == 3:
        raise BackboneError(f"{file}: {value!r} is not a mean or deviation of red, green and blue")
    red, green, blue = numbers
    return red, green, blue
