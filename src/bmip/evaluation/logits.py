"""The one loop that every evaluation runs: batches of squares in, logits of one or several class lists out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.data.transforms import normalise
from bmip.prompting.model import PromptedCLIP

Beside = TypeVar("Beside")


class LogitsError(ValueError):
    """The model's logits are not finite, so it cannot be evaluated."""


def batch_logits(
    model: PromptedCLIP,
    batches: Iterable[tuple[Tensor, Beside]],
    classes: Sequence[ClassNames],
    *,
    classify: Callable[[Tensor], list[Tensor]] | None = None,
) -> Iterator[tuple[Beside, tuple[Tensor, ...]]]:
    """For each batch: what came beside its pixels (labels, names), and its logits for each class list.

    Logits are (image, class), on the CPU.

    The model is in evaluation mode meanwhile. Class features are computed once for all batches, and image features
    once for all class lists.

    Args:
        model: evaluated where it is; the pixels are moved to its device.
        batches: uint8 pixels (image, 3, size, size) of the size that the model's CLIP takes, with a value to hand back.
        classes: the class lists. They may differ in names, number or template.
        classify: what `model.classifiers(classes)` returned before, so that class features are not computed again.

    Raises:
        LogitsError: where a logit is not finite.
    """
    device, config = model.clip.device, model.clip.config
    with _evaluation_mode(model):
        classify = classify or model.classifiers(classes)
        for pixels, beside in batches:
            logits = tuple(each.cpu() for each in classify(normalise(pixels.to(device), config.mean, config.std)))
            if not all(each.isfinite().all() for each in logits):
                raise LogitsError(
                    "the model's logits are not finite: training has diverged (lower the learning rate), or its CLIP "
                    "or its trainable parameters are damaged"
                )
            yield beside, logits


@contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and afterwards the mode that was before, module by module."""
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in before.items():
            module.training = training
