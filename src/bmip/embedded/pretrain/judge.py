"""Zero-shot accuracy on validation splits: how good a CLIP has become. Test splits are never looked at here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Int64, UInt8
from torch import Tensor

from bmip.clip.model import CLIP
from bmip.clip.text_layout import TextLayout
from bmip.embedded.world import load_world, world_names


class ZeroShot(NamedTuple):
    """On one data set, with the template that does best on the same images."""

    accuracy: float
    """Percent."""

    plain: float
    """Percent, with the data set's first template."""

    template: str


@torch.no_grad()
def zero_shot(
    clip: CLIP,
    images: UInt8[Tensor, "image 3 size size"],
    labels: Int64[Tensor, " image"],
    names: tuple[str, ...],
    templates: tuple[str, ...],
) -> ZeroShot:
    device = clip.device
    mean, std = (torch.tensor(values, device=device)[:, None, None] for values in (clip.config.mean, clip.config.std))
    pixels = ((part.to(device).float() / 255 - mean) / std for part in images.split(128))
    features = F.normalize(torch.cat([clip.encode_image(part) for part in pixels]), dim=-1)
    right = []
    for template in templates:
        classes = F.normalize(clip.encode_text(clip.texts(names, TextLayout(template)))[0], dim=-1)
        right.append(_percent((features @ classes.T).argmax(1).cpu() == labels))
    best = max(range(len(templates)), key=right.__getitem__)
    return ZeroShot(right[best], right[0], templates[best])


def judge(clip: CLIP, names: Iterable[str] | None = None, *, per_class: int = 50) -> dict[str, ZeroShot]:
    """By name of the world's data sets (all of them by default), from the first images of each class."""
    found = {}
    for name in world_names() if names is None else names:
        world = load_world(name)
        images, labels = world.split("val")
        kept = torch.cat([torch.nonzero(labels == label)[:per_class, 0] for label in range(len(world.class_names))])
        found[name] = zero_shot(clip, images[kept], labels[kept], world.class_names, world.templates)
    return found


def _percent(right: Tensor) -> float:
    return 100 * right.double().mean().item()
