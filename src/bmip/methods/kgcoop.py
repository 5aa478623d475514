"""KgCoOp: CoOp's prompts, whose class features stay near those of a hand-written sentence. (Yao et al. 2023, CVPR)"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from bmip.methods import coop
from bmip.prompting import CLIP, ClassNames, Extras, MethodSpec, Preset, Step, Term


@dataclass(frozen=True)
class Extra:
    """The options of what KgCoOp adds to prompts."""

    guidance: float = 8.0
    """Weight of 1 - the mean cosine between a class's feature and that of the data set's sentence."""


@dataclass(frozen=True)
class Config(Extra, coop.Config):
    """The options of KgCoOp."""


class Knowledge(Term):
    """The weight times 1 - the mean cosine between the class features and those of the data set's sentence."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, step: Step) -> dict[str, Tensor]:
        hand_written = step.teacher.text_features([step.teacher.classes.template])
        cosine = F.cosine_similarity(step.text_features, hand_written, dim=-1)
        return {"knowledge": self.weight * (1 - cosine.mean())}


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """KgCoOp's loss term."""
    return Extras(terms=[Knowledge(config.guidance)])


_SOURCE = "htyao89/KgCoOp, scripts/base2new_train.sh and configs/trainers/KgCoOp/vit_b16_ep100_ctxv1.yaml"
_TRAINING = {"optimizer": "sgd", "lr": 0.002, "epochs": 100, "batch": 128}

METHOD = MethodSpec(
    name="kgcoop",
    summary="KgCoOp: CoOp's prompts, with class features kept near the fixed sentence's. (Yao et al. 2023, CVPR)",
    Config=Config,
    build=coop.METHOD.build,
    watched=frozenset({"text"}),
    presets={"default": Preset(_SOURCE, training=_TRAINING), "released": Preset(_SOURCE, training=_TRAINING)},
    Extra=Extra,
    extras=extras,
    released=replace(
        coop.RELEASED,
        unused=("prompt_learner.bias_vectors", "prompt_learner.meta_net.*"),
        fixed=("position", "class_specific"),
    ),
)
