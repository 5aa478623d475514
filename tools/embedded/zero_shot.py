"""Zero-shot accuracy with each template on validation images, as a table: `python -m tools.embedded.zero_shot [CLIP]`.

CLIP is a name or a folder, as --backbone takes it; otherwise the embedded one. No test image is looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from statistics import fmean

import torch

from bmip.clip.loading.backbones import EMBEDDED
from bmip.clip.loading.load import load_clip
from bmip.clip.model import CLIP
from bmip.data.dataset import Dataset
from bmip.data.load import load_dataset
from bmip.data.names import embedded_names
from bmip.embedded.pretrain.evaluate import zero_shot

HEAD = (
    "| data set | classes | images | chance | plain | best | best template |",
    "|---|---:|---:|---:|---:|---:|---|",
)


def table(clip: CLIP, datasets: Iterable[Dataset]) -> list[str]:
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


if __name__ == "__main__":
    asked = load_clip(*sys.argv[1:] or [EMBEDDED])
    print("\n".join(table(asked, map(load_dataset, embedded_names()))))
