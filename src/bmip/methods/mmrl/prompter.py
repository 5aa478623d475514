"""MMRL's prompts: tokens of one space, and the maps that bring them into the upper layers of both towers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from bmip.prompting import ClassNames, Given, LayerView, Prompt, Prompter, Prompts, TextLayout


class Maps(nn.Module, ABC):
    """For each layer a linear map from the tokens' space to a tower's width."""

    @abstractmethod
    def of(self, layer: int, tokens: Float[Tensor, "slot space"]) -> Float[Tensor, "slot width"]:
        """The tokens under the map of a layer, counted from the first that has one."""


class OwnMaps(Maps):
    """Maps that start as copies of one draw and are then trained apart."""

    def __init__(self, layers: int, space: int, width: int) -> None:
        super().__init__()
        self.each = nn.ModuleList(nn.Linear(space, width) for _ in range(layers))
        for other in self.each[1:]:
            other.load_state_dict(self.each[0].state_dict())

    def of(self, layer: int, tokens: Float[Tensor, "slot space"]) -> Float[Tensor, "slot width"]:
        return self.each[layer](tokens)


class MMRL(Prompter):
    """Tokens of one space, and linear maps to each tower for each upper layer.

    Args:
        start: what the tokens start from.
        text: the maps for the text tower.
        image: the maps for the image tower.
        first: the first layer that the tokens enter in the text tower and in the image tower, counted from 0.
        layers: how many layers they enter.
        fresh: how much of a layer's tokens is new, 0 to 1; the rest is what the layer below made of its own.
    """

    def __init__(
        self, start: Float[Tensor, "slot space"], text: Maps, image: Maps, *,
        first: tuple[int, int], layers: int, fresh: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.tokens, self.to_text, self.to_image = nn.Parameter(start), text, image
        self.first, self.layers, self.fresh = first, layers, fresh

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(classes.template, slots=len(self.tokens), inserted=True)

    def forward(self, given: Given) -> Prompts:
        both = self.to_text, self.to_image
        text, image = ([maps.of(k, self.tokens)[None] for k in range(self.layers)] for maps in both)
        below_text, below_image = ([None] * first for first in self.first)
        return Prompts(
            text=[*below_text, *self._mixed([prompt[None] for prompt in text])],
            image=[*below_image, *self._mixed(image)],
        )

    def _mixed(self, new: list[Tensor]) -> list[Prompt]:
        if self.fresh == 1:
            return [*new]
        return [new[0], *(partial(self._with_old, prompt) for prompt in new[1:])]

    def _with_old(self, new: Tensor, view: LayerView) -> Tensor:
        return self.fresh * new + (1 - self.fresh) * view.slots()
