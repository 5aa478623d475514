"""Zero-shot accuracy on validation images, as tables: with each template, then as each family would have drawn them.

python -m tools.embedded.zero_shot [CLIP]

CLIP is a name or a folder, as --backbone takes it; otherwise the embedded one. No test image is looked at. The second
table is of the first 10 scenes of each class with another family's pictures in them, with a data set's first sentence.
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
from bmip.data.dataset import Dataset
from bmip.data.load import load_dataset
from bmip.data.names import embedded_names
from bmip.embedded.pictures import families
from bmip.embedded.pretrain.evaluate import zero_shot
from bmip.embedded.scenes.compose import SEEN
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.embedded.scenes.sceneset import SceneSet

HEAD = (
    "| data set | classes | images | chance | plain | best | best template |",
    "|---|---:|---:|---:|---:|---:|---|",
)
PER_CLASS = 10


def with_each_template(clip: CLIP, datasets: Iterable[Dataset]) -> list[str]:
    """A line for each data set that has validation images, and their mean; all in percent."""
    lines, plain, best = [*HEAD], [], []
    for dataset in datasets:
        if dataset.val is None:
            continue
        images = torch.stack([dataset.val.images[index] for index in range(len(dataset.val))])
        names, templates = dataset.classes.names, dataset.classes.templates
        found = zero_shot(clip, images, torch.tensor(dataset.val.labels), names, templates)
        plain.append(found[0])
        best.append(max(found))
        lines.append(
            f"| {dataset.name} | {len(names)} | {len(images)} | {100 / len(names):.1f} | {found[0]:.1f} | "
            f"{max(found):.1f} | `{templates[found.index(max(found))]}` |"
        )
    return [*lines, f"| mean | | | | {fmean(plain):.1f} | {fmean(best):.1f} | |"]


def of_family(clip: CLIP, one: SceneSet, family: str) -> float:
    """In percent, on validation scenes that show this family's pictures."""
    images, labels = replace(one, families={"val": family}).split("val")
    kept = torch.cat([torch.nonzero(labels == label)[:PER_CLASS, 0] for label in range(len(one.class_names))])
    return zero_shot(clip, images[kept], labels[kept], one.class_names, (one.template,))[0]


def by_family(clip: CLIP, sets: Iterable[SceneSet]) -> list[str]:
    """A line for each data set that shows things and is no variant, and their mean; families of pre-training first."""
    order = sorted(families(), key=lambda family: family not in SEEN)
    lines = [f"| data set | {' | '.join(order)} |", "|---|" + "---:|" * len(order)]
    shown = (one for one in sets if one.members and one.like is None)
    found = {one.name: [of_family(clip, one, family) for family in order] for one in shown}
    found["mean"] = [fmean(column) for column in zip(*found.values(), strict=True)]
    return lines + [f"| {name} | {' | '.join(f'{cell:.1f}' for cell in row)} |" for name, row in found.items()]


if __name__ == "__main__":
    asked = load_clip(*sys.argv[1:] or [EMBEDDED])
    print("\n".join([*with_each_template(asked, map(load_dataset, embedded_names())), ""]))
    print("\n".join(by_family(asked, map(load_scenes, scene_names()))))
