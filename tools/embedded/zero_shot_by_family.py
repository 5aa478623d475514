"""Zero-shot accuracy on every data set as each family of artists would have drawn it, as a table.

python -m tools.embedded.zero_shot_by_family [CLIP]

CLIP is a name or a folder, as --backbone takes it; otherwise the embedded one. The scenes are those of the validation
split, 10 a class, with another family's pictures in them; the sentence is each data set's first. No test image is seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from statistics import fmean

import torch

from bmip.clip.loading.backbones import EMBEDDED
from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.embedded.pictures import families
from bmip.embedded.pretrain.evaluate import zero_shot
from bmip.embedded.scenes.compose import SEEN
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.embedded.scenes.sceneset import SceneSet

PER_CLASS = 10


def accuracy(clip: CLIP, one: SceneSet, family: str) -> float:
    """In percent, on validation scenes that show this family's pictures."""
    images, labels = replace(one, families={"val": family}).split("val")
    kept = torch.cat([torch.nonzero(labels == label)[:PER_CLASS, 0] for label in range(len(one.class_names))])
    return zero_shot(clip, images[kept], labels[kept], one.class_names, (one.template,))[0]


def table(clip: CLIP, sets: Iterable[SceneSet]) -> list[str]:
    """A line for each data set that shows things and is no variant, and their mean; families of pre-training first."""
    order = sorted(families(), key=lambda family: family not in SEEN)
    lines = [f"| data set | {' | '.join(order)} |", "|---|" + "---:|" * len(order)]
    found = {
        one.name: [accuracy(clip, one, family) for family in order] for one in sets if one.members and one.like is None
    }
    found["mean"] = [fmean(column) for column in zip(*found.values(), strict=True)]
    return lines + [f"| {name} | {' | '.join(f'{cell:.1f}' for cell in row)} |" for name, row in found.items()]


if __name__ == "__main__":
    print("\n".join(table(load_clip(*sys.argv[1:] or [EMBEDDED]), map(load_scenes, scene_names()))))
