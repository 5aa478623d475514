"""Features of a split's images, for heads that are fitted to them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.data.batches import EvalBatches, ahead
from bmip.data.dataset import Dataset, Split
from bmip.data.transforms import Augmentation, augmented, normalise
from bmip.prompting.frozen import at_least_float32
from bmip.prompting.head import Head, Support
from bmip.prompting.model import PromptedCLIP

BATCH = 100


def fit_head(model: PromptedCLIP, head: Head, dataset: Dataset, data_seed: int) -> Support | None:
    """Fit the head to the training images. Returns the features of the validation images, if there are any.

    Validation images that are the test images are not looked at.
    """
    val = None if dataset.val_is_test or dataset.val is None or not len(dataset.val) else dataset.val
    validation = None if val is None else support_of(model, val)
    found = support_of(model, dataset.train, head.passes, data_seed, dataset.augmentation)
    head.fit(found, validation)
    return validation


@torch.no_grad()
def support_of(
    model: PromptedCLIP,
    split: Split,
    passes: int = 0,
    data_seed: int = 0,
    augmentation: Augmentation | None = None,
) -> Support:
    """The frozen features of a split, and of the model's classes.

    Args:
        passes: each image's feature is the mean over so many augmented copies; 0 takes the centre square.
        data_seed: seed of the augmentation.
        augmentation: as in training.
    """
    clip = model.clip
    squares = _augmented(split, clip.config.image_size, passes, data_seed, augmentation or Augmentation())
    batches = squares if passes else ([pixels] for pixels, _ in EvalBatches(split, clip.config.image_size, BATCH))
    found = []
    for copies in batches:
        pixels = (normalise(one.to(clip.device), clip.config.mean, clip.config.std) for one in copies)
        each = [at_least_float32(clip.encode_image(one)) for one in pixels]
        found.append(F.normalize(torch.stack(each).mean(0), dim=-1))
    labels = torch.tensor(split.labels, device=clip.device)
    return Support(torch.cat(found), labels, model.class_features(model.classes)[0], clip.scale)


def _augmented(
    split: Split, size: int, passes: int, data_seed: int, augmentation: Augmentation
) -> Iterator[list[Tensor]]:
    """The augmented copies of some images at a time."""
    generator = torch.Generator().manual_seed(data_seed)
    images = ahead(split.images.__getitem__, range(len(split)))
    for start in range(0, len(split), BATCH):
        few = [next(images) for _ in range(min(BATCH, len(split) - start))]
        yield [augmented(few, size, augmentation, generator) for _ in range(passes)]
