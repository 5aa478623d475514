"""Prompts as values: what a method hands to the towers before they run.

Axes: `image` and `class` of size 1 mean "the same for all"; a tower only broadcasts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class LayerView:
    """What a prompt may read just before its layer runs, while the slots still hold what the last layer left there."""

    layer: int
    reach: int | Tensor
    """How many keys a reading row sees: `attention() * reach` is 1 where attention is uniform."""

    look: Callable[[], Float[Tensor, "..."]]

    def attention(self) -> Float[Tensor, "..."]:
        """Attention in 0..1 that each slot receives from the rows that read, averaged over heads; it carries no graph.

        Image tower: (image, slot), the mean over the class token and the patches. Text tower: the EOT row, of the
        name-free sentence as (#image, 1, slot), or of each class as (#image, class, slot) where slots are per class.
        """
        return self.look()


Entering = Tensor | Callable[[LayerView], Tensor]
Prompt = Entering | None
"""What enters the slots of one layer; None leaves there what the last layer made of them."""


@dataclass(frozen=True)
class Prompts:
    """Prompt i enters before layer i; the first of a tower says how many slots there are, so it is a tensor."""

    text: Sequence[Prompt] = ()
    """Each (#image, #class, slot, width)."""

    image: Sequence[Prompt] = ()
    """Each (#image, slot, width)."""

    sentences: Sequence[Sequence[Prompt]] = ()
    """Where the layout has several sentences with prompts of their own: what enters each, in place of `text`. Each
    (variant, 1, slot, width): a sentence may have several variants, or for now none."""

    def __post_init__(self) -> None:
        texts = [("text", self.text, 4), *((f"sentences[{k}]", own, 4) for k, own in enumerate(self.sentences))]
        for tower, prompts, axes in (*texts, ("image", self.image, 3)):
            if prompts and not isinstance(prompts[0], Tensor):
                raise TypeError(
                    f"{tower}[0] sets the number of slots, so it must be a tensor, not {type(prompts[0]).__name__}"
                )
            for layer, prompt in enumerate(prompts):
                if isinstance(prompt, Tensor) and prompt.ndim != axes:
                    raise ValueError(
                        f"{tower}[{layer}] has shape {tuple(prompt.shape)}; it needs {axes} axes: "
                        + ("(image, class, slot, width)" if axes == 4 else "(image, slot, width)")
                    )


def resolve(prompt: Entering, view: LayerView) -> Tensor:
    return prompt if isinstance(prompt, Tensor) else prompt(view)


def check_depth(tower: str, prompts: Sequence[Prompt], layers: int) -> None:
    if len(prompts) > layers:
        raise ValueError(f"{len(prompts)} {tower} prompts for a tower of {layers} layers: lower the depth to {layers}")
