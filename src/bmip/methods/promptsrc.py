"""PromptSRC: independent prompts held near the frozen CLIP, and averaged over epochs. (Khattak et al. 2023, ICCV)

Loss: cross-entropy + distance of the text features and of the image features from the frozen ones + divergence of the
logits from the frozen ones. (muzairkhattak/PromptSRC, trainers/promptsrc.py)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from bmip.methods import ivlp
from bmip.prompting import BOTH_TOWERS, CLIP, ClassNames, Extras, GaussianAverage, MethodSpec, Preset, Step, Term
from bmip.prompting.templates import IMAGENET_80, PROMPTSRC_60


@dataclass(frozen=True)
class Extra:
    """The options of what PromptSRC adds to prompts."""

    text_weight: float = 25.0
    """Weight of the mean absolute difference between the text features and the teacher's."""

    image_weight: float = 10.0
    """Weight of the mean absolute difference between the image features and the frozen ones."""

    logit_weight: float = 1.0
    """Weight of the divergence of the logits from the teacher's."""

    teacher: Literal["60", "80", "own"] = "60"
    """The teacher's templates: PromptSRC's 60, CLIP's 80, or the data set's own."""

    average_mean: float = 15.0
    """The epoch that weighs most in the average over epochs, counted from 1."""

    average_std: float = 1.0
    """The width of the average in epochs; 0 keeps the last epoch's prompts."""


@dataclass(frozen=True)
class Config(Extra, ivlp.Config):
    """The options of PromptSRC."""

    text_slots: int = 4
    """Prompt tokens in each layer of the text tower."""

    image_slots: int = 4
    """Prompt tokens in each layer of the image tower."""

    text_depth: int = 9
    """How many layers of the text tower get prompts, from the bottom."""

    image_depth: int = 9
    """How many layers of the image tower get prompts, from the bottom."""


class SelfRegulation(Term):
    """How far the text features, the image features and the logits are from those of the frozen CLIP."""

    def __init__(self, config: Extra, templates: Sequence[str]) -> None:
        super().__init__()
        self.config, self.templates = config, templates

    def forward(self, step: Step) -> dict[str, Tensor]:
        text = step.teacher.text_features(self.templates, normalise_each=False)
        image = step.frozen_images.features(0)
        teacher = F.log_softmax(step.scale * image @ text.T, dim=-1)
        divergence = F.kl_div(F.log_softmax(step.logits, dim=-1), teacher, log_target=True, reduction="sum")
        return {
            "text_distance": self.config.text_weight * (step.text_features - text).abs().mean(),
            "image_distance": self.config.image_weight * (step.image_features - image).abs().mean(),
            # Over images times classes, as released; not over images alone.
            "logit_divergence": self.config.logit_weight * divergence / step.logits.numel(),
        }


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """PromptSRC's loss term and its average over epochs."""
    templates = {"60": PROMPTSRC_60, "80": IMAGENET_80, "own": (classes.template,)}[config.teacher]
    average = GaussianAverage(config.average_mean, config.average_std) if config.average_std else None
    return Extras(terms=[SelfRegulation(config, templates)], average=average)


_SOURCE = "muzairkhattak/PromptSRC, configs/trainers/PromptSRC/vit_b16_c2_ep20_batch4_4+4ctx.yaml"
_TRAINING = {"optimizer": "sgd", "lr": 0.0025, "epochs": 20, "batch": 4}
_FEW_SHOT = "muzairkhattak/PromptSRC, configs/trainers/PromptSRC/vit_b16_c2_ep50_batch4_4+4ctx_few_shot.yaml"

METHOD = MethodSpec(
    name="promptsrc",
    summary="PromptSRC: IVLP's prompts, kept near the frozen CLIP, averaged over epochs. (Khattak et al. 2023, ICCV)",
    Config=Config,
    build=ivlp.METHOD.build,
    parts=frozenset({"average"}),
    prompted=BOTH_TOWERS,
    presets={
        "default": Preset(_SOURCE, training=_TRAINING),
        "released": Preset(_SOURCE, training=_TRAINING),
        "cross-dataset": Preset(
            "muzairkhattak/PromptSRC, vit_b16_c2_ep20_batch4_4+4ctx_cross_datasets.yaml: depth 3, average 6/10",
            options={"text_depth": 3, "image_depth": 3, "average_mean": 6.0, "average_std": 10.0},
            training=_TRAINING,
        ),
        "few-shot": Preset(
            f"{_FEW_SHOT}: average 30/30 (ImageNet, Caltech101, OxfordPets, Food101, UCF101, SUN397)",
            options={"average_mean": 30.0, "average_std": 30.0},
            training={**_TRAINING, "epochs": 50},
        ),
        "few-shot-fine": Preset(
            f"{_FEW_SHOT}: average 45/5 (StanfordCars, Flowers102, FGVCAircraft, DTD, EuroSAT)",
            options={"average_mean": 45.0, "average_std": 5.0},
            training={**_TRAINING, "epochs": 50},
        ),
    },
    Extra=Extra,
    extras=extras,
    released=replace(ivlp.RELEASED, teachers=("prompt_learner.ZS_image_encoder.",)),
)
