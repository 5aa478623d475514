"""What enters the slots of each layer, and what it is made of: found by gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from bmip.clip.prompts import LayerView, Prompt

Tower = Literal["text", "image"]
TOWERS: tuple[Tower, ...] = ("text", "image")

Source = Literal["text", "image", "joint", "pixels", "names"]
"""Vectors that fit into the slots of one tower, parameters for both together, what the images show, or the frozen
features of the class names."""


@dataclass(frozen=True)
class Entry:
    """What enters the slots of one layer of a tower."""

    made_of: frozenset[Source]
    maps: frozenset[str]
    """The names of the parameters that lie between the sources and the slots."""

    looks: bool
    """Whether it changes with the attention in its layer."""

    keeps: bool
    """Whether a part of what the layer below left in the slots is in it."""

    per_image: bool
    per_class: bool


def reach(entries: Sequence[Entry | None]) -> str:
    """The layers that something enters, counted from 1: "1 to 9", "1 and 9", or nothing."""
    layers = [layer + 1 for layer, entry in enumerate(entries) if entry]
    starts = [layer for layer in layers if layer - 1 not in layers]
    ends = [layer for layer in layers if layer + 1 not in layers]
    return " and ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(starts, ends, strict=True))


@dataclass(frozen=True)
class Entered:
    """A prompt as its layer got it."""

    prompt: Tensor
    looks: bool = False
    keeps: bool = False


def watched(prompts: Sequence[Prompt], run: Callable[[Sequence[Prompt]], object]) -> list[Entered | None]:
    """The prompts that the tower `run` is given, layer by layer."""
    seen: list[Entered | None] = [None] * len(prompts)

    def watch(layer: int, prompt: Prompt) -> Prompt:
        if prompt is None or isinstance(prompt, Tensor):
            seen[layer] = None if prompt is None else Entered(prompt)
            return prompt

        def enter(view: LayerView) -> Tensor:
            new = prompt(view)
            none, all_ = (prompt(replace(view, look=partial(_constant, view, x))) for x in (0.0, 1.0))
            other = prompt(replace(view, below=lambda: view.below() + 1))
            seen[layer] = Entered(new, looks=not torch.equal(none, all_), keeps=not torch.equal(new, other))
            return new

        return enter

    run([watch(layer, prompt) for layer, prompt in enumerate(prompts)])
    return seen


def _constant(view: LayerView, x: float) -> Tensor:
    return torch.full_like(view.look(), x)


@dataclass(frozen=True)
class Sources:
    """The tensors that prompts may be made of."""

    trainable: Mapping[str, Tensor]
    pixels: Tensor
    """The features of the images at hand."""

    names: Tensor
    """The frozen features of the classes at hand."""

    slots: Mapping[Tower, tuple[int, int]]
    """Of each tower, their number and width."""

    def entry(self, entered: Entered, *, axes: tuple[bool, bool]) -> Entry:
        """What the prompt is made of. `axes` says whether its first two axes are images and classes."""
        names = list(self.trainable)
        # Weighted, so that nothing cancels: the sum over a layer norm's output has no gradient.
        weights = torch.randn(entered.prompt.shape, generator=torch.Generator().manual_seed(0))
        found = torch.autograd.grad(
            (weights * entered.prompt).sum(),
            [*self.trainable.values(), self.names, self.pixels],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        used = {name for name, gradient in zip(names, found, strict=False) if gradient.any()}
        homes: dict[str, Tower] = {name: home for name in used if (home := self._home(self.trainable[name]))}
        made_of: set[Source] = set(homes.values())
        made_of |= {source for source, gradient in zip(("names", "pixels"), found[-2:], strict=True) if gradient.any()}
        return Entry(
            made_of=frozenset(made_of or {"joint"}),
            maps=frozenset(name for name in used - homes.keys() if self.trainable[name].numel() > 1),  # no gates
            looks=entered.looks,
            keeps=entered.keeps,
            per_image=axes[0] and entered.prompt.shape[0] > 1,
            per_class=axes[1] and entered.prompt.shape[1] > 1,
        )

    def _home(self, tensor: Tensor) -> Tower | None:
        """The tower that the tensor's rows fit into."""
        for tower, (slots, width) in self.slots.items():
            if tensor.ndim > 1 and tensor.shape[-1] == width and tensor.shape[-2] <= slots:
                return tower
        return None
