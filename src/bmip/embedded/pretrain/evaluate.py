"""Zero-shot accuracy of a CLIP on the validation splits of the scenes. Test splits are never read here."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.scenes.datasets import load_scenes, scene_names
from bmip.evaluation.logits import batch_logits
from bmip.methods import build_model

_BATCH = 128


def zero_shot(
    clip: CLIP,
    images: UInt8[Tensor, "image 3 size size"],
    labels: Int64[Tensor, " image"],
    names: tuple[str, ...],
    templates: tuple[str, ...],
) -> list[float]:
    """The accuracy on these images with each template, in percent; labels are indices into `names`."""
    classes = [ClassNames(names, template) for template in templates]
    # A model freezes its CLIP, and this one is still being trained: a copy is evaluated.
    model = build_model("zero_shot", {}, copy.deepcopy(clip), classes[0], seed=0)
    batches = zip(images.split(_BATCH), labels.split(_BATCH), strict=True)
    hits = [
        torch.stack([logits.argmax(1) == truth for logits in each])
        for truth, each in batch_logits(model, batches, classes)
    ]
    return [100 * share for share in torch.cat(hits, dim=1).double().mean(1).tolist()]


def check_context(tokenizer: Tokenizer, context: int) -> None:
    """Raises ValueError where a sentence of `evaluate_sets` has more tokens than the text tower takes."""
    said = {
        template.format(name)
        for one in map(load_scenes, scene_names())
        for template in one.templates
        for name in one.class_names
    }
    needed, longest = max((len(tokenizer.encode(text)) + 2, text) for text in said)
    if needed > context:
        raise ValueError(
            f"context is {context}, and the sentence {longest!r} of the evaluations needs {needed} tokens: set context "
            f"to at least {needed}, or evaluate_every to 0"
        )


def evaluate_sets(clip: CLIP, per_class: int) -> dict[str, float]:
    """The accuracy with the best template on each data set of scenes, on `per_class` images of each class."""
    found = {}
    for one in map(load_scenes, scene_names()):
        images, labels = one.split("val")
        kept = torch.cat([torch.nonzero(labels == label)[:per_class, 0] for label in range(len(one.class_names))])
        if len(kept):  # variants have no validation images
            found[one.name] = max(zero_shot(clip, images[kept], labels[kept], one.class_names, one.templates))
    return found
