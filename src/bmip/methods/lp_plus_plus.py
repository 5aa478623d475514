"""LP++: a linear probe with a trained share of the class names' scores, and steps derived from the features.

(Huang et al. 2024, CVPR; FereshteShakeri/FewShot-CLIP-Strong-Baseline)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.zero_shot import ZeroShot
from bmip.prompting import (
    CLIP,
    ClassNames,
    Head,
    Method,
    MethodSpec,
    Preset,
    Support,
    check_passes,
    check_positive,
    head_accuracy,
)


@dataclass(frozen=True)
class Config:
    """The options of LP++."""

    steps: int = 300
    """Steps of gradient descent on all training images at once."""

    passes: int = 1
    """Each image's feature is the mean over so many augmented copies; 0 takes the centre square alone."""

    summed_gradients: bool = False
    """As in the released code, step the shares of the class names along the sum of all gradients since the start."""


class LPPlusPlus(Head):
    """W f + b + a share for each class times the cosine with its name."""

    affine = True

    def __init__(self, classes: ClassNames, config: Config, out: int) -> None:
        super().__init__(classes)
        self.config, self.passes = config, config.passes
        drawn = nn.Linear(out, len(classes))
        self.weights, self.bias = nn.Parameter(torch.zeros_like(drawn.weight)), nn.Parameter(drawn.bias.detach())
        self.shares = nn.Parameter(torch.zeros(len(classes)))

    def fit(self, support: Support, validation: Support | None) -> None:
        """Full-batch descent; of the states after each step the last of the best on validation images stays."""
        start(self, support)
        rates = step_sizes(support)
        momentum = [torch.zeros_like(tensor) for tensor in (self.weights, self.bias)]
        summed = torch.zeros_like(self.shares)
        cosines = support.cosines()
        best, kept = -1.0, [tensor.detach().clone() for tensor in self.parameters()]
        for step in range(self.config.steps):
            with torch.enable_grad():
                loss = F.cross_entropy(self(support.images, cosines, support.scale), support.labels)
                *own, shares = torch.autograd.grad(loss, [self.weights, self.bias, self.shares])
            summed = summed + shares if self.config.summed_gradients else shares
            with torch.no_grad():
                for tensor, velocity, grad in zip((self.weights, self.bias), momentum, own, strict=True):
                    velocity.mul_(0.9).add_(grad)
                    tensor.sub_(rates[0] * velocity)
                if (step + 1) % 10 == 0:
                    self.shares.sub_(rates[1] * summed)
            score = best if validation is None else head_accuracy(self, validation)
            if score >= best:
                best, kept = score, [one.detach().clone() for one in self.parameters()]
        with torch.no_grad():
            for tensor, value in zip(self.parameters(), kept, strict=True):
                tensor.copy_(value)

    def forward(
        self, images: Float[Tensor, "image out"], cosines: Float[Tensor, "image class"], scale: Float[Tensor, ""]
    ) -> Float[Tensor, "image class"]:
        return images @ self.weights.T + self.bias + self.shares * cosines


@torch.no_grad()
def start(head: LPPlusPlus, support: Support) -> None:
    """The sums of each class's features, and 250 times the mean cosine of a class's images with its name as shares."""
    chosen = F.one_hot(support.labels, len(support.classes)).to(support.images.dtype)
    head.weights.copy_(chosen.T @ support.images)
    own = (support.cosines() * chosen).sum(0) / chosen.sum(0).clamp(min=1)
    head.shares.fill_(250 * own.mean())


def step_sizes(support: Support) -> tuple[float, float]:
    """The learning rates of the weights and of the shares, from bounds of the loss's curvature. (section 3.3)"""
    count = len(support.images)
    images = support.images.cpu().double()
    curvature = torch.linalg.eigvalsh(images.T @ images)[-1]
    greatest = support.cosines().square().sum(0).max()
    return 4 * count / curvature.item(), count / (4 * greatest.item())


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """LP++ on the data set's own sentence. Raises ValueError for less than one step, and for less than 0 passes."""
    check_positive(config, "steps")
    check_passes(config.passes)
    return Method(prompter=ZeroShot((), with_own=True), head=LPPlusPlus(classes, config, clip.config.out))


_SOURCE = "FereshteShakeri/FewShot-CLIP-Strong-Baseline"

METHOD = MethodSpec(
    name="lp_plus_plus",
    summary="LP++: a linear probe that adds a trained share of the class names' scores. (Huang et al. 2024, CVPR)",
    Config=Config,
    build=build,
    parts=frozenset({"head"}),
    prompted=frozenset(),
    presets={
        "default": Preset(f"{_SOURCE}; shares step along the gradient of their step"),
        "released": Preset(_SOURCE, {"summed_gradients": True}),
    },
)
