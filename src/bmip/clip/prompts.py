"""Prompts as values: a method makes them before the towers run.

An axis `image` or `class` of size 1 means "the same for all"; a tower broadcasts it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class LayerView:
    """What a prompt can read just before its layer runs; the slots then still hold the output of the layer below."""

    layer: int
    """The number of the layer, counted from 0."""

    reach: int | Tensor
    """How many keys a reading token sees: `attention() * reach` is 1 where attention is uniform."""

    look: Callable[[], Float[Tensor, "..."]]
    """Computes what `attention` returns."""

    below: Callable[[], Float[Tensor, "..."]]
    """Gives what `slots` returns."""

    def attention(self) -> Float[Tensor, "..."]:
        """The attention that each slot receives, in 0..1, averaged over heads; it has no gradient.

        In the image tower it is (image, slot): the mean over the class token and the patches. In the text tower it is
        what the end token gives: of the sentence without a class name as (#image, 1, slot), or of each class as
        (#image, class, slot) where the slots are per class. Raises ValueError in the layer where the slots open, since
        they are still empty there, and for shared text slots without `probe` in the layout.
        """
        return self.look()

    def slots(self) -> Float[Tensor, "..."]:
        """What the layer below left in the slots, with its gradient.

        In the image tower it is (image, slot, width); in the text tower (#image, 1, slot, width), or (#image, class,
        slot, width) where the slots are per class. These are the classes that run together, in the tower's order, so
        what is mixed with them must be the same for all classes.
        """
        return self.below()


Entering = Tensor | Callable[[LayerView], Tensor]
Prompt = Entering | None
"""What enters the slots of one layer; None leaves in them the output of the layer below."""


@dataclass(frozen=True)
class Prompts:
    """The prompts of both towers: prompt i enters before layer i.

    The first prompt of a tower sets its number of slots, so it is a tensor. Layers below it may be None: then prompts
    enter late. Raises TypeError where the first one is no tensor, and ValueError for a tensor with a wrong number of
    axes or of slots.
    """

    text: Sequence[Prompt] = ()
    """One for each layer from the lowest: (#image, #class, slot, width)."""

    image: Sequence[Prompt] = ()
    """One for each layer from the lowest: (#image, slot, width)."""

    sentences: Sequence[Sequence[Prompt]] = ()
    """Where the layout has several sentences with prompts of their own: the prompts of each, in place of `text`.
    They are (variant, 1, slot, width): a sentence may have several variants, or none in this step."""

    def __post_init__(self) -> None:
        texts = [("text", self.text, 4), *((f"sentences[{k}]", own, 4) for k, own in enumerate(self.sentences))]
        for tower, prompts, axes in (*texts, ("image", self.image, 3)):
            first = first_layer(prompts)
            if first is not None and not isinstance(prompts[first], Tensor):
                raise TypeError(
                    f"{tower}[{first}] sets the number of slots, so it must be a tensor, not "
                    f"{type(prompts[first]).__name__}"
                )
            for layer, prompt in enumerate(prompts):
                if isinstance(prompt, Tensor) and prompt.ndim != axes:
                    raise ValueError(
                        f"{tower}[{layer}] has shape {tuple(prompt.shape)}; it needs {axes} axes: "
                        + ("(image, class, slot, width)" if axes == 4 else "(image, slot, width)")
                    )
                if isinstance(prompt, Tensor):
                    _check_slots(prompt, slots_of(prompts), f"{tower}[{layer}]")


def first_layer(prompts: Sequence[Prompt]) -> int | None:
    """The number of the first layer that a prompt enters, counted from 0."""
    return next((layer for layer, prompt in enumerate(prompts) if prompt is not None), None)


def slots_of(prompts: Sequence[Prompt]) -> int:
    """The number of slots that these prompts fill."""
    first = first_layer(prompts)
    prompt = None if first is None else prompts[first]
    return prompt.shape[-2] if isinstance(prompt, Tensor) else 0


def resolve(prompt: Entering, view: LayerView, slots: int) -> Tensor:
    """The prompt as a tensor; one that is a function is called with the view of its layer.

    Raises ValueError where it fills another number of slots.
    """
    if isinstance(prompt, Tensor):
        return prompt
    found = prompt(view)
    _check_slots(found, slots, f"the prompt of layer {view.layer}")
    return found


def _check_slots(prompt: Tensor, slots: int, which: str) -> None:
    if prompt.shape[-2] != slots:
        raise ValueError(f"{which} fills {prompt.shape[-2]} slots, and the first prompt of its tower {slots}")


def check_layers(tower: str, prompts: Sequence[Prompt], layers: int) -> None:
    """Raises ValueError for more prompts than the tower has layers."""
    if len(prompts) > layers:
        raise ValueError(f"{len(prompts)} {tower} prompts for a tower of {layers} layers: lower the depth to {layers}")
