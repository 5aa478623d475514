"""Linear probe: logistic regression on the features of the frozen image tower. (Radford et al. 2021, section 3.1)"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.zero_shot import ZeroShot
from bmip.prompting import CLIP, ClassNames, Head, Method, MethodSpec, Preset, Support, check_passes, head_accuracy


@dataclass(frozen=True)
class Config:
    """The options of the linear probe."""

    penalty: float = 1.0
    """Half of this times the squared weights is added to the summed cross-entropy. Validation images choose it, where
    there are some. (1 / C of scikit-learn)"""

    chosen: bool = True
    """Choose the penalty on the validation images, among the powers of ten from 0.000001 to 1,000,000: the one with the
    best accuracy, and of equal ones with the lowest cross-entropy."""

    passes: int = 0
    """Each image's feature is the mean over so many augmented copies; 0 takes the centre square alone."""


class Probe(Head):
    """W f + b; the class names are not read."""

    affine = True

    def __init__(self, classes: ClassNames, config: Config, out: int) -> None:
        super().__init__(classes)
        self.config, self.passes = config, config.passes
        self.weights, self.bias = nn.Parameter(torch.zeros(len(classes), out)), nn.Parameter(torch.zeros(len(classes)))

    def fit(self, support: Support, validation: Support | None) -> None:
        if validation is None or not self.config.chosen:
            self._regress(support, self.config.penalty)
            return
        found = []
        for power in range(6, -7, -1):
            self._regress(support, 10.0**power)
            judged = head_accuracy(self, validation), -self._cross_entropy(validation)
            found.append((judged, self.weights.detach().clone(), self.bias.detach().clone()))
        _, weights, bias = max(found, key=lambda one: one[0])
        self._set(weights, bias)

    @torch.no_grad()
    def _cross_entropy(self, data: Support) -> float:
        return F.cross_entropy(self(data.images, data.cosines(), data.scale), data.labels).item()

    def _regress(self, support: Support, penalty: float) -> None:
        """The minimum of a convex function, in float64 and so on the processor: not every device has that type."""
        images, labels = support.images.cpu().double(), support.labels.cpu()
        weights, bias = (
            tensor.detach().cpu().double().zero_().requires_grad_() for tensor in (self.weights, self.bias)
        )
        descent = torch.optim.LBFGS(
            [weights, bias], max_iter=1000, tolerance_grad=1e-9, tolerance_change=1e-12, line_search_fn="strong_wolfe"
        )

        def loss() -> float:
            descent.zero_grad()
            with torch.enable_grad():
                summed = F.cross_entropy(images @ weights.T + bias, labels, reduction="sum")
                value = (summed + penalty / 2 * weights.square().sum()) / len(images)
                value.backward()
            return value.item()

        descent.step(loss)
        self._set(weights.detach(), bias.detach())

    @torch.no_grad()
    def _set(self, weights: Tensor, bias: Tensor) -> None:
        self.weights.copy_(weights)
        self.bias.copy_(bias)

    def forward(
        self, images: Float[Tensor, "image out"], cosines: Float[Tensor, "image class"], scale: Float[Tensor, ""]
    ) -> Float[Tensor, "image class"]:
        return images @ self.weights.T + self.bias


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """The linear probe. Raises ValueError for less than 0 passes, and for a penalty below 0."""
    check_passes(config.passes)
    if config.penalty < 0:
        raise ValueError(f"penalty is {config.penalty}: choose 0 or more")
    return Method(prompter=ZeroShot((), with_own=True), head=Probe(classes, config, clip.config.out))


METHOD = MethodSpec(
    name="linear_probe",
    summary="Linear probe: logistic regression on the frozen image tower's features. (Radford et al. 2021)",
    Config=Config,
    build=build,
    parts=frozenset({"head"}),
    prompted=frozenset(),
    presets={"default": Preset("Radford et al. 2021, section 3.1; the penalty chosen on validation images")},
)
