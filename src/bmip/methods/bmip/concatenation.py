"""An ablation of BMIP without gates: each tower has its own prompts and the other tower's, projected, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bmip.methods.bmip.projections import Projections
from bmip.prompting import ClassNames, Given, Prompter, Prompts, TextLayout, random_slots


class Concatenation(Prompter):
    """Deep prompts in both towers; a tower that receives the other's has slots for both, in every prompted layer.

    Args:
        template: the sentence around the class name; its first tokens are the slots, those of both towers where the
            text tower receives the image tower's prompts.
        text: what the text prompts start from, from the first layer on.
        image: what the image prompts start from, from the second layer on; one fewer than `text`.
        image_slots: prompt tokens of the image tower's own.
        image_width: width of the image tower.
        to_text: whether the text tower receives the image tower's prompts.
        to_image: whether the image tower receives the text tower's prompts.
        shared_projection_to_text: one projection to text width for all layers, not one for each.
        shared_projection_to_image: one projection to image width for all layers, not one for each.
    """

    def __init__(
        self,
        template: str,
        text: Sequence[Float[Tensor, "slot text_width"]],
        image: Sequence[Float[Tensor, "image_slot image_width"]],
        *,
        image_slots: int,
        image_width: int,
        to_text: bool = True,
        to_image: bool = True,
        shared_projection_to_text: bool = True,
        shared_projection_to_image: bool = True,
    ) -> None:
        super().__init__()
        self.template = template
        text_width, layers = text[0].shape[-1], len(text)
        self.text = nn.ParameterList(text)
        self.image = nn.ParameterList(image)
        self.first_image = nn.Parameter(random_slots(image_slots, image_width))
        self.to_text = Projections(image_width, text_width, layers if to_text else 0, shared=shared_projection_to_text)
        self.to_image = Projections(
            text_width, image_width, layers if to_image else 0, shared=shared_projection_to_image
        )

    def layout(self, classes: ClassNames) -> TextLayout:
        received = len(self.first_image) if len(self.to_text) else 0
        return TextLayout(self.template, slots=len(self.text[0]) + received)

    def forward(self, given: Given) -> Prompts:
        text, image = list(self.text), [self.first_image, *self.image]
        return Prompts(
            text=[prompt[None, None] for prompt in _beside(text, self.to_text, image)],
            image=[prompt[None] for prompt in _beside(image, self.to_image, text)],
        )


def _beside(own: Sequence[Tensor], projections: Projections, other: Sequence[Tensor]) -> list[Tensor]:
    if not len(projections):
        return list(own)
    return [torch.cat([own[layer], projections(layer, other[layer])]) for layer in range(len(own))]
