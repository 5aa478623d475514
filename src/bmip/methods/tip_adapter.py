"""Tip-Adapter: training images as a memory, whose labels count by likeness, beside zero-shot CLIP. (Zhang et al. 2022)

(gaopengcuhk/Tip-Adapter, main.py)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.zero_shot import ZeroShot
from bmip.prompting import CLIP, ClassNames, Head, Method, MethodSpec, Preset, Support, Tuned, check_passes


@dataclass(frozen=True)
class Config:
    """The options of Tip-Adapter."""

    trained: bool = False
    """Train the remembered features as well, as variant F does."""

    weight: float = 1.17
    """How much the memory counts beside zero-shot CLIP, in training and until it is chosen on validation images.
    (alpha)"""

    sharpness: float = 1.0
    """How fast a remembered image counts less the less alike it is, likewise. (beta)"""

    passes: int = 10
    """Each image is remembered as the mean feature of so many augmented copies; 0 takes the centre square alone."""

    chosen: bool = True
    """Choose weight and sharpness on the validation images."""

    greatest_weight: float = 3.0
    """Where the weights end that are tried. (search_scale of the released configs, the second number)"""

    greatest_sharpness: float = 7.0
    """Where the values of sharpness end that are tried. (its first number)"""


class Memory(Head):
    """scale * cosine + weight * the sum over remembered images of a class of exp(-sharpness (1 - likeness))."""

    def __init__(self, classes: ClassNames, config: Config, out: int) -> None:
        super().__init__(classes)
        self.config, self.passes, self.trained = config, config.passes, config.trained
        self.labels: Tensor
        self.weight: Tensor
        self.sharpness: Tensor
        self.keys = nn.Parameter(torch.empty(0, out))
        self.register_buffer("labels", torch.empty(0, dtype=torch.int64))
        self.register_buffer("weight", torch.tensor(config.weight))
        self.register_buffer("sharpness", torch.tensor(config.sharpness))

    def fit(self, support: Support, validation: Support | None) -> None:
        self.make_room({"keys": support.images.shape, "labels": support.labels.shape})
        with torch.no_grad():
            self.keys.copy_(support.images)
            self.labels.copy_(support.labels)

    def make_room(self, shapes: Mapping[str, torch.Size]) -> None:
        self.keys = nn.Parameter(self.keys.new_empty(shapes.get("keys", self.keys.shape)))
        self.labels = self.labels.new_empty(shapes.get("labels", self.labels.shape))

    def forward(
        self, images: Float[Tensor, "image out"], cosines: Float[Tensor, "image class"], scale: Float[Tensor, ""]
    ) -> Float[Tensor, "image class"]:
        return scale * cosines + self.weight * self._remembered(images, self.sharpness)

    def _remembered(self, images: Tensor, sharpness: Tensor) -> Float[Tensor, "image class"]:
        alike = torch.exp(-sharpness * (1 - images @ self.keys.T))
        return alike.new_zeros(len(alike), len(self.classes)).index_add(1, self.labels, alike)

    @torch.no_grad()
    def choose(self, validation: Support) -> None:
        """The best of 200 x 20 pairs, the first of several; the released code searches this grid.

        As there, each end itself is not tried. (utils.py, search_hp)
        """
        if not self.config.chosen:
            return
        zero_shot = validation.scale * validation.cosines()
        best = -1.0
        for sharpness in _grid(self.config.greatest_sharpness, 200).to(zero_shot):
            remembered = self._remembered(validation.images, sharpness)
            for weight in _grid(self.config.greatest_weight, 20).to(zero_shot):
                right = (zero_shot + weight * remembered).argmax(-1) == validation.labels
                if (share := right.float().mean().item()) > best:
                    best = share
                    self.sharpness.copy_(sharpness)
                    self.weight.copy_(weight)


def _grid(end: float, steps: int) -> Float[Tensor, " step"]:
    return 0.1 + (end - 0.1) / steps * torch.arange(steps)


def build(config: Config, clip: CLIP, classes: ClassNames) -> Method:
    """Tip-Adapter on the data set's own sentence. Raises ValueError for less than 0 passes."""
    check_passes(config.passes)
    return Method(prompter=ZeroShot((), with_own=True), head=Memory(classes, config, clip.config.out))


_SOURCE = "gaopengcuhk/Tip-Adapter, main.py and configs"
_TRAINING = {
    "optimizer": "adamw", "lr": 0.001, "eps": 1e-4, "weight_decay": 0.01, "epochs": 20, "batch": 256,
    "warmup_epochs": 0, "schedule": "step", "selection": "best-val", "patience": 20,
}  # fmt: skip

METHOD = MethodSpec(
    name="tip_adapter",
    summary="Tip-Adapter: training images as a memory beside zero-shot CLIP, or trained (F). (Zhang et al. 2022, ECCV)",
    Config=Config,
    build=build,
    parts=frozenset({"head"}),
    prompted=frozenset(),
    presets={
        "default": Preset(f"{_SOURCE}; weight and sharpness chosen on validation images"),
        "released": Preset(f"{_SOURCE}; weight and sharpness chosen on validation images"),
        "trained": Preset(
            f"{_SOURCE}, variant F; the epoch, too, is chosen on validation images, not on test images as there",
            {"trained": True},
            _TRAINING,
            by_data={"eurosat": Tuned(training={"epochs": 100, "patience": 100})},
        ),
    },
)
