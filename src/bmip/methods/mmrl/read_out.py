"""What MMRL adds to prompts in the image tower: logits of the slots' mean, and nearness to the frozen CLIP."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.mmrl.options import Extra
from bmip.prompting import ReadOut, Step, Term


class SlotReadOut(ReadOut):
    """The mean of the slots through a trained projection, which is added to a frozen one if there is one.

    Args:
        factors: matrices whose product is the trained projection.
        config: says how the logits are mixed.
        frozen: CLIP's own projection.
    """

    def __init__(
        self, factors: Sequence[Tensor], config: Extra, frozen: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.factors, self.frozen = nn.ParameterList(factors), frozen
        self.share, self.trained_classes_only = config.read_out_share, config.trained_classes_only

    def forward(self, slots: Float[Tensor, "image slot width"]) -> Float[Tensor, "image out"]:
        mean = slots.mean(1)
        found = mean
        for factor in self.factors:
            found = found @ factor
        return found + self.frozen(mean) if self.frozen else found


class Nearness(Term):
    """The weight times 1 - the mean cosine to the frozen features, for images and for classes."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        frozen = step.teacher.text_features([step.teacher.classes.template])
        image = F.cosine_similarity(step.image_features, step.frozen_images.features(0), dim=-1)
        text = F.cosine_similarity(step.text_features, frozen, dim=-1)
        return {"image_nearness": self.weight * (1 - image.mean()), "text_nearness": self.weight * (1 - text.mean())}
