"""What keeps HiCroPL near the frozen CLIP, and goes with any prompts: sums with its features, and a loss."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from bmip.prompting import Adapter, DescribedClasses, FrozenImages, Step, Teacher, Term


class Ensemble(Adapter):
    """The normalised sum of the prompted and the frozen feature, for images and for classes."""

    def __init__(self, described: DescribedClasses) -> None:
        super().__init__()
        self.described = described

    def image(self, features: Tensor, frozen: FrozenImages) -> Tensor:
        return F.normalize(features, dim=-1) + frozen.features(0)

    def text(self, features: Tensor, teacher: Teacher) -> Tensor:
        return F.normalize(features, dim=-1) + self.described.features(teacher)


class Distillation(Term):
    """The weight times 1 - the mean cosine to the frozen features, for images and for classes."""

    def __init__(self, weight: float, described: DescribedClasses) -> None:
        super().__init__()
        self.weight, self.described = weight, described

    def forward(self, step: Step) -> dict[str, Tensor]:
        image = F.cosine_similarity(step.image_features, step.frozen_images.features(0), dim=-1)
        text = F.cosine_similarity(step.text_features, self.described.features(step.teacher), dim=-1)
        return {
            "image_distillation": self.weight * (1 - image.mean()),
            "text_distillation": self.weight * (1 - text.mean()),
        }
