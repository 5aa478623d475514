"""ProGrad: CoOp's prompts, updated without what opposes the zero-shot prediction. (Zhu et al. 2023, ICCV)

Where the gradient of the cross-entropy points against the gradient of the divergence from zero-shot CLIP, its component
along the latter is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from bmip.methods import coop
from bmip.prompting import CLIP, ClassNames, Extras, MethodSpec, Preset, Step, Term, Tuned


@dataclass(frozen=True)
class Extra:
    """The options of what ProGrad adds to prompts."""

    correction: float = 1.0
    """How much of the opposing component is left out, 0 to 1. (lambda)"""

    temperature: float = 1.0
    """The temperature of both predictions in the divergence."""


@dataclass(frozen=True)
class Config(Extra, coop.Config):
    """The options of ProGrad."""

    slots: int = 16
    """Prompt tokens around the class name."""

    padded: bool = True
    """With fewer words than `slots`, let the words start the last slots and zeros the others."""


class Objection(Term):
    """The divergence from the zero-shot prediction, which is not minimised but guides the gradient."""

    guides = frozenset({"zero_shot_divergence"})

    def __init__(self, config: Extra) -> None:
        super().__init__()
        self.config = config

    def forward(self, step: Step) -> dict[str, Tensor]:
        heat = self.config.temperature
        text = step.teacher.text_features([step.teacher.classes.template])
        teacher = F.log_softmax(step.scale * step.frozen_images.features(0) @ text.T / heat, dim=-1)
        student = F.log_softmax(step.logits / heat, dim=-1)
        divergence = F.kl_div(student, teacher, log_target=True, reduction="batchmean")
        return {"zero_shot_divergence": heat**2 * divergence}

    def edit(self, gradient: Tensor, guides: Tensor) -> Tensor:
        direction = F.normalize(guides, dim=0)
        return gradient - self.config.correction * (gradient @ direction).clamp(max=0) * direction


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """ProGrad's guiding term."""
    return Extras(terms=[Objection(config)])


_SOURCE = "BeierZhu/Prompt-align, configs/trainers/ProGrad; made for RN50 and 4 shots"
_TRAINING = {"optimizer": "sgd", "lr": 0.002, "epochs": 100, "batch": 32}

METHOD = MethodSpec(
    name="prograd",
    summary="ProGrad: CoOp's prompts, without gradients that oppose the zero-shot prediction. (Zhu et al. 2023, ICCV)",
    Config=Config,
    build=coop.METHOD.build,
    presets={
        "default": Preset(_SOURCE, training=_TRAINING),
        "released": Preset(_SOURCE, training=_TRAINING),
        "few-shot": Preset(
            "ProGrad, section 4.1: 200 epochs with 8 or 16 shots, as CoOp; the corrections are those of its README",
            training={**_TRAINING, "epochs": 200},
            by_data={data: Tuned({"correction": 0.8}) for data in ("oxford_flowers", "dtd", "eurosat")},
        ),
        "few-shot-4": Preset("ProGrad, section 4.1: 100 epochs with 2 or 4 shots", training=_TRAINING),
        "few-shot-1": Preset("ProGrad, section 4.1: 50 epochs with 1 shot", training={**_TRAINING, "epochs": 50}),
    },
    Extra=Extra,
    extras=extras,
    released=coop.RELEASED,
)
