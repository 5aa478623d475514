"""HiCroPL's prompts: both towers have their own, and each layer's are passed on to the other tower, up or down."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from bmip.methods.hicropl.networks import Mapper, Pooler
from bmip.prompting import ClassNames, Given, Prompter, Prompts, TextLayout


class HiCroPL(Prompter):
    """Deep prompts in both towers; in lower layers the text's make the image's, in upper layers the other way.

    Args:
        text: what the text prompts start from, by layer.
        image: what the image prompts start from, by layer.
        template: the sentence around the class name; its first tokens are the slots.
        top: how many layers, from the top, pass prompts from image to text.
        heads: attention heads of the networks.
        written_back: whether the mapped prompts are written into the trained ones.
    """

    def __init__(
        self, text: Sequence[Tensor], image: Sequence[Tensor], template: str, *, top: int, heads: int,
        written_back: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.template, self.lower = template, len(text) - top
        self.text, self.image = nn.ParameterList(text), nn.ParameterList(image)
        text_width, image_width = text[0].shape[-1], image[0].shape[-1]
        self.text_poolers = nn.ModuleList(Pooler(text_width, heads) for _ in range(self.lower))
        self.image_poolers = nn.ModuleList(Pooler(image_width, heads) for _ in range(top))
        self.to_image = Mapper(text_width, image_width, heads, layers=self.lower)
        self.to_text = Mapper(image_width, text_width, heads, layers=top)
        self.changes_itself = written_back
        if written_back:
            self.dead = frozenset(name for name, _ in self.named_parameters() if name.split(".")[0] not in _PROMPTS)

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(self.template, slots=len(self.text[0]))

    def forward(self, given: Given) -> Prompts:
        text, image = self._mapped()
        if self.changes_itself:
            with torch.no_grad():
                for own, new in ((self.text, text), (self.image, image)):
                    for parameter, value in zip(own, new, strict=True):
                        parameter.copy_(value)
            text, image = list(self.text), list(self.image)
        return Prompts(text=[prompt[None, None] for prompt in text], image=[prompt[None] for prompt in image])

    def _mapped(self) -> tuple[list[Tensor], list[Tensor]]:
        """The prompts of both towers, of which each layer has a mapped one in one tower."""
        text, image, lower = list(self.text), list(self.image), self.lower
        pooled_text = torch.cat([pool(own) for pool, own in zip(self.text_poolers, text[:lower], strict=True)])
        pooled_image = torch.cat([pool(own) for pool, own in zip(self.image_poolers, image[lower:], strict=True)])
        new_image = self.to_image(torch.cat(image[:lower]), pooled_text).chunk(lower)
        new_text = self.to_text(torch.cat(text[lower:]), pooled_image).chunk(len(text) - lower)
        return [*text[:lower], *new_text], [*new_image, *image[lower:]]


_PROMPTS = ("text", "image")
