"""What a method is: a prompter, and beside it loss terms, an adapter and an average over epochs.

A method is one file that builds these parts. The towers and the trainer know the parts and no method by name, so any
prompter goes with any other method's extras: `bmip.plus(promptsrc_extras)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.prompts import Prompts
from bmip.clip.text_layout import TextLayout


@dataclass(frozen=True)
class Given:
    """What a prompter may condition on."""

    features: Callable[[], Float[Tensor, "image out"]] | None = None

    @cached_property
    def image_features(self) -> Float[Tensor, "image out"]:
        """The frozen tower's normalised features of the images at hand; computed when first read.

        Raises LookupError for a prompter that does not declare `reads_images`.
        """
        if self.features is None:
            raise LookupError("declare `reads_images = True` on the prompter to condition on image features")
        return self.features()


class Prompter(nn.Module, ABC):
    """The learned prompts. What it breaks it declares; the contract tests hold it to its word."""

    reads_images: bool = False
    """Prompts differ per image: class features cannot be computed once."""

    reads_classes: bool = False
    """A class's logit depends on which other classes are asked about: classes cannot be taken in chunks."""

    reads_batch: bool = False
    """An image's logits depend on the other images of its batch."""

    dead: frozenset[str] = frozenset()
    """Learned weights that are known to get no gradient, or only zeros."""

    trained_on: ClassNames | None = None
    """The only classes it can tell apart, where it has learned something for each of them."""

    @abstractmethod
    def layout(self, classes: ClassNames) -> TextLayout | Sequence[TextLayout]:
        """The sentence in which the text prompts stand; or several, for `pool`."""

    def pool(self, each: Float[Tensor, "sentence class out"]) -> Float[Tensor, "1 class out"]:
        """What classes are told apart by, from the normalised features of several sentences: their mean's direction."""
        return F.normalize(each.mean(0, keepdim=True), dim=-1)

    @abstractmethod
    def forward(self, given: Given) -> Prompts: ...


@dataclass(frozen=True)
class Teacher:
    """The frozen CLIP as a reference for loss terms; it shares the one CLIP in memory."""

    clip: CLIP
    classes: ClassNames
    _text: dict[tuple[Sequence[str], bool], Tensor] = field(default_factory=dict)

    def text_features(self, templates: Sequence[str], *, normalise_each: bool = True) -> Float[Tensor, "class out"]:
        """Normalised mean over the templates, computed once; PromptSRC averages before normalising."""
        key = (tuple(templates), normalise_each)
        if key not in self._text:
            found = []
            with torch.no_grad():
                for template in templates:
                    texts = self.clip.texts(self.classes.names, TextLayout(template=template))
                    features = at_least_float32(self.clip.encode_text(texts)[0])
                    found.append(F.normalize(features, dim=-1) if normalise_each else features)
            self._text[key] = F.normalize(torch.stack(found).mean(0), dim=-1)
        return self._text[key]


@dataclass(frozen=True)
class Step:
    """One training step as a loss term sees it; features are normalised."""

    labels: Int64[Tensor, " image"]
    image_features: Float[Tensor, "image out"]
    text_features: Float[Tensor, "#image class out"]
    sentence_features: Float[Tensor, "sentence class out"]
    """Those that `text_features` was pooled from; with a single sentence the same."""

    logits: Float[Tensor, "image class"]
    scale: Float[Tensor, ""]
    """What the cosines are multiplied with to give the logits."""

    teacher: Teacher
    frozen_image_features: Callable[[int], Float[Tensor, "image out"]]
    """Of the frozen tower for a view, normalised; computed once."""


class Term(nn.Module, ABC):
    """An extra loss beside the cross-entropy; its parts are added up and logged by name."""

    views: int = 1
    """Augmented copies of each image it needs; the first is the one the model sees."""

    guides: frozenset[str] = frozenset()
    """Parts that are not minimised: their gradients go to `edit`."""

    @abstractmethod
    def forward(self, step: Step) -> dict[str, Float[Tensor, ""]]: ...

    def edit(self, gradient: Float[Tensor, " value"], guides: Float[Tensor, " value"]) -> Float[Tensor, " value"]:
        """What to step along, given the gradient of what is minimised and that of the guides' sum, all tensors in one.

        Must not depend on a common factor of both.
        """
        raise NotImplementedError(f"{type(self).__name__} has guides and does not say what they do")


class Adapter(nn.Module, ABC):
    """Learned maps behind the towers, on features before normalisation."""

    @abstractmethod
    def image(self, features: Float[Tensor, "image out"]) -> Float[Tensor, "image out"]: ...

    @abstractmethod
    def text(self, features: Float[Tensor, "#image class out"]) -> Float[Tensor, "#image class out"]: ...


class Average(ABC):
    """A weighted mean of the trainable parameters over epochs, which replaces them after the last."""

    @abstractmethod
    def weight(self, epoch: int, epochs: int) -> float:
        """Of the tensors after `epoch` (counted from 0); the weights of all epochs are divided by their sum."""


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What goes with any prompter."""

    terms: Sequence[Term] = ()
    adapter: Adapter | None = None
    average: Average | None = None


@dataclass(frozen=True, kw_only=True)
class Method(Extras):
    prompter: Prompter

    def plus(self, extras: Extras) -> Method:
        """Raises ValueError where both bring an adapter, or an average."""
        for part in ("adapter", "average"):
            if getattr(self, part) is not None and getattr(extras, part) is not None:
                raise ValueError(f"both methods bring an {part}, and only one can be used: combine others")
        return Method(
            prompter=self.prompter,
            terms=(*self.terms, *extras.terms),
            adapter=self.adapter or extras.adapter,
            average=self.average or extras.average,
        )


def at_least_float32(features: Tensor) -> Tensor:
    return features.to(torch.promote_types(features.dtype, torch.float32))
