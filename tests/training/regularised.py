"""A method from outside the package: dropout in an adapter, two views, a second loss, an average over epochs."""

from dataclasses import dataclass

import torch
from torch import nn

from bmip.prompting import (
    Adapter,
    GaussianAverage,
    Given,
    Method,
    MethodSpec,
    Preset,
    Prompter,
    Prompts,
    Term,
    TextLayout,
)


@dataclass(frozen=True)
class Config:
    dropout: float = 0.2
    averages: bool = True


class Context(Prompter):
    def __init__(self, width):
        super().__init__()
        self.slots = nn.Parameter(0.02 * torch.randn(2, width))

    def layout(self, classes):
        return TextLayout("X X {}.", slots=2)

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[self.slots[None, None]])


class Dropped(Adapter):
    def __init__(self, width, dropout):
        super().__init__()
        self.map, self.dropout = nn.Linear(width, width), nn.Dropout(dropout)

    def image(self, features, frozen):
        return features + self.map(self.dropout(features))

    def text(self, features, teacher):
        return features


class Agreement(Term):
    views = 2

    def forward(self, step):
        first, second = (step.frozen_images.features(view) for view in (0, 1))
        return {"agreement": 0.1 * (step.image_features - (first + second) / 2).square().mean()}


def build(config, clip, classes):
    average = GaussianAverage(3.0, 1.5) if config.averages else None
    out = clip.config.out
    return Method(
        prompter=Context(clip.text.width), terms=[Agreement()], adapter=Dropped(out, config.dropout), average=average
    )


METHOD = MethodSpec(
    name="regularised", summary="A test.", Config=Config, build=build, presets={"default": Preset("a test")}
)
