"""Which patches tell two classes apart: each is covered in turn."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.prompting.model import PromptedCLIP

BATCH = 50


@torch.no_grad()
def telling_apart(
    model: PromptedCLIP, pixels: Float[Tensor, "3 size size"], classes: ClassNames
) -> Float[Tensor, "row column"]:
    """How much each patch of one image speaks for the first of two classes and against the second, in logits.

    It is the difference of both logits, minus the same difference with the patch covered by CLIP's mean colour. The
    pixels are normalised, so that colour is 0.

    Raises ValueError for another number of classes than two.
    """
    if len(classes) != 2:
        raise ValueError(f"{len(classes)} class names came: give two, to see what tells them apart")
    patch = model.clip.config.patch
    side = model.clip.config.image_size // patch
    covered = pixels.repeat(side * side, 1, 1, 1)
    for place in range(side * side):
        top, left = place // side * patch, place % side * patch
        covered[place, :, top : top + patch, left : left + patch] = 0
    classify = model.classifier(classes)
    batch = 1 if model.prompter.reads_batch else BATCH
    logits = torch.cat([classify(few) for few in torch.cat([pixels[None], covered]).split(batch)]).float().cpu()
    difference = logits[:, 0] - logits[:, 1]
    return (difference[0] - difference[1:]).unflatten(0, (side, side))
