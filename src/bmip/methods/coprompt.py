"""CoPrompt: MaPLe's prompts and adapters behind both towers, kept consistent with the frozen CLIP on another view.

(Roy & Etemad 2024, ICLR; ShuvenduRoy/CoPrompt, trainers/coprompt.py)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods import maple
from bmip.prompting import (
    BOTH_TOWERS,
    CLIP,
    Adapter,
    ClassNames,
    DescribedClasses,
    Extras,
    FrozenImages,
    MethodSpec,
    Preset,
    Step,
    Stored,
    Teacher,
    Term,
    Tuned,
)


@dataclass(frozen=True)
class Extra:
    """The options of what CoPrompt adds to prompts."""

    consistency: float = 1.0
    """Weight of 1 - cosine between the features and the frozen ones, for texts and for images. (W)"""

    image_share: float = 0.1
    """How much of the adapter's output is in the image features, 0 to 1."""

    text_share: float = 0.2
    """How much of the adapter's output is in the text features, 0 to 1."""

    rectified: bool = False
    """As in the released code, end the adapters in a ReLU, so that they can only add to a feature."""

    sentences: str = ""
    """A JSON file of {class name: [sentence, ...]} for the frozen text tower; otherwise it reads neutral templates."""


@dataclass(frozen=True)
class Config(Extra, maple.Config):
    """The options of CoPrompt."""


class Bottleneck(nn.Sequential):
    """Two linear maps with a ReLU between, four times narrower inside; `rectified` adds a ReLU at the end."""

    def __init__(self, width: int, rectified: bool) -> None:
        inner = max(1, width // 4)
        layers = [nn.Linear(width, inner, bias=False), nn.ReLU(), nn.Linear(inner, width, bias=False)]
        super().__init__(*layers, *([nn.ReLU()] if rectified else []))


class Adapters(Adapter):
    """A bottleneck behind each tower, whose output is mixed into the features."""

    def __init__(self, width: int, config: Extra) -> None:
        super().__init__()
        self.config = config
        self.image_map, self.text_map = (Bottleneck(width, config.rectified) for _ in range(2))

    def image(self, features: Tensor, frozen: FrozenImages) -> Tensor:
        return _mix(features, self.image_map(features), self.config.image_share)

    def text(self, features: Tensor, teacher: Teacher) -> Tensor:
        return _mix(features, self.text_map(features), self.config.text_share)


def _mix(features: Tensor, adapted: Tensor, share: float) -> Tensor:
    return (1 - share) * features + share * adapted


class Consistency(Term):
    """1 - cosine to the frozen CLIP's features: of sentences about the class, and of the image's second view."""

    views = 2

    def __init__(self, config: Extra) -> None:
        super().__init__()
        self.config = config
        self.described = DescribedClasses(config.sentences)

    def forward(self, step: Step) -> dict[str, Tensor]:
        text = F.cosine_similarity(step.text_features, self.sentence_features(step.teacher), dim=-1)
        image = F.cosine_similarity(step.image_features, step.frozen_images.features(1), dim=-1)
        weight = self.config.consistency
        return {"text_consistency": weight * (1 - text.mean()), "image_consistency": weight * (1 - image.mean())}

    def sentence_features(self, teacher: Teacher) -> Float[Tensor, "class out"]:
        """Features of one sentence about each class. Every step draws its number, the same for all classes."""
        known = self.described.each(teacher)
        drawn = int(torch.randint(max(map(len, known)), ()))
        return torch.stack([own[drawn % len(own)] for own in known])


def extras(config: Extra, clip: CLIP, classes: ClassNames) -> Extras:
    """CoPrompt's loss term and adapters."""
    return Extras(terms=[Consistency(config)], adapter=Adapters(clip.config.out, config))


def released_names(config: Config, clip: CLIP) -> dict[str, str | Stored]:
    """The released key for each trainable parameter."""
    adapters = {"adapter.image_map": "adapter_image.fc", "adapter.text_map": "adapter_text.fc"}
    return {**maple.released_names(config, clip), **adapters}


_SOURCE = "ShuvenduRoy/CoPrompt, configs/trainers/CoPrompt"
_TRAINING = {"optimizer": "sgd", "lr": 0.0035, "epochs": 8, "batch": 4}

# Depth, tokens, weight of consistency for each data set. (scripts/base2new_train_coprompt.sh)
_CHOSEN = {
    "imagenet": (12, 4, 8.0),
    "caltech101": (12, 4, 4.0),
    "oxford_pets": (12, 2, 0.1),
    "stanford_cars": (12, 4, 4.0),
    "oxford_flowers": (9, 4, 8.0),
    "food101": (9, 4, 0.5),
    "fgvc_aircraft": (9, 4, 2.0),
    "sun397": (12, 4, 8.0),
    "dtd": (12, 2, 8.0),
    "eurosat": (12, 2, 0.1),
    "ucf101": (12, 4, 2.0),
}

_TUNED = {
    data: Tuned({"depth": depth, "slots": slots, "consistency": weight}, {"epochs": 5} if data == "food101" else {})
    for data, (depth, slots, weight) in _CHOSEN.items()
}

METHOD = MethodSpec(
    name="coprompt",
    summary="CoPrompt: MaPLe's prompts and adapters, kept consistent with the frozen CLIP. (Roy & Etemad 2024, ICLR)",
    Config=Config,
    build=maple.METHOD.build,
    parts=frozenset({"adapter"}),
    prompted=BOTH_TOWERS,
    adapted=BOTH_TOWERS,
    presets={
        "default": Preset(f"{_SOURCE}, its adapters free to subtract (docs/fidelity.md)", training=_TRAINING),
        "released": Preset(_SOURCE, {"rectified": True}, _TRAINING, by_data=_TUNED),
    },
    Extra=Extra,
    extras=extras,
    released=replace(
        maple.RELEASED,
        names=released_names,
        teachers=("model_distill.",),
        fixed=("image_share", "text_share", "rectified"),
    ),
)
