"""What a method is: a prompter, and beside it loss terms, an adapter and an average over epochs.

A method is one file that builds these parts. The towers and the trainer know the parts and no method by name, so any
prompter goes with any terms: `replace(promptsrc, prompter=bmip_prompter)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.clip.model import CLIP
from bmip.clip.texts import ClassNames, TextLayout
from bmip.prompts import Prompts


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

    @abstractmethod
    def layout(self, classes: ClassNames) -> TextLayout:
        """The sentences in which the text prompts stand."""

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
                    features = self.clip.encode_text(texts)[0].float()
                    found.append(F.normalize(features, dim=-1) if normalise_each else features)
            self._text[key] = F.normalize(torch.stack(found).mean(0), dim=-1)
        return self._text[key]

    def image_features(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image out"]:
        with torch.no_grad():
            return F.normalize(_at_least_float32(self.clip.encode_image(pixels)), dim=-1)


@dataclass(frozen=True)
class Step:
    """One training step as a loss term sees it; features are normalised."""

    views: Sequence[Float[Tensor, "image 3 size size"]]
    labels: Int64[Tensor, " image"]
    image_features: Float[Tensor, "image out"]
    text_features: Float[Tensor, "#image class out"]
    logits: Float[Tensor, "image class"]
    teacher: Teacher


class Term(nn.Module, ABC):
    """An extra loss beside the cross-entropy; its parts are added up and logged by name."""

    views: int = 1
    """Augmented copies of each image it needs; the first is the one the model sees."""

    @abstractmethod
    def forward(self, step: Step) -> dict[str, Float[Tensor, ""]]: ...


class Adapter(nn.Module, ABC):
    """Learned maps behind the towers, on features before normalisation."""

    @abstractmethod
    def image(self, features: Float[Tensor, "image out"]) -> Float[Tensor, "image out"]: ...

    @abstractmethod
    def text(self, features: Float[Tensor, "#image class out"]) -> Float[Tensor, "#image class out"]: ...


class Average(ABC):
    """A weighted mean of the learned tensors over epochs, which replaces them after the last."""

    @abstractmethod
    def weight(self, epoch: int, epochs: int) -> float:
        """Of the tensors after `epoch` (counted from 0); the weights of all epochs are divided by their sum."""


@dataclass(frozen=True, kw_only=True)
class Method:
    prompter: Prompter
    terms: Sequence[Term] = ()
    adapter: Adapter | None = None
    average: Average | None = None


@dataclass(frozen=True)
class Preset:
    """A named set of departures from a method's Config and from TrainConfig."""

    source: str
    """Where these settings come from: paper, repository and file, or our own search."""

    options: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)


class PromptedCLIP(nn.Module):
    """A frozen CLIP with a method around it. Gradients reach the method's tensors alone."""

    def __init__(self, clip: CLIP, method: Method, classes: ClassNames) -> None:
        """`classes` are those it is trained on; it classifies among any others as well."""
        super().__init__()
        self.clip, self.method, self.classes = clip.requires_grad_(False), method, classes
        self.prompter, self.terms, self.adapter = method.prompter, nn.ModuleList(method.terms), method.adapter
        self.teacher = Teacher(clip, classes)
        self.views = max((term.views for term in method.terms), default=1)
        self._texts: dict[ClassNames, Any] = {}
        self.to(clip.logit_scale.device)

    def learned(self) -> dict[str, nn.Parameter]:
        """The method's own parameters, named as in a checkpoint."""
        return {name: p for name, p in self.named_parameters() if not name.startswith("clip.") and p.requires_grad}

    def load_learned(self, tensors: Mapping[str, Tensor]) -> None:
        """Raises ValueError that lists missing and unexpected names, and tensors of another shape."""
        own = self.learned()
        missing, unexpected = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
        shapes = [
            f"{name} is {tuple(tensors[name].shape)} and needs {tuple(own[name].shape)}"
            for name in sorted(own.keys() & tensors.keys())
            if own[name].shape != tensors[name].shape
        ]
        if missing or unexpected or shapes:
            raise ValueError(
                "these learned tensors do not fit the method: "
                + "; ".join(
                    f"{what}: {', '.join(names)}"
                    for what, names in (("missing", missing), ("unexpected", unexpected), ("shape", shapes))
                    if names
                )
            )
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(tensors[name])

    def forward(self, pixels: Float[Tensor, "image 3 size size"], classes: ClassNames) -> Float[Tensor, "image class"]:
        """Logits, as in training: everything is computed anew. `classifier` is the way to classify many images."""
        return self._run(pixels, classes)[2]

    def losses(
        self, views: Sequence[Float[Tensor, "image 3 size size"]], labels: Int64[Tensor, " image"]
    ) -> dict[str, Float[Tensor, ""]]:
        """The parts of the loss on a batch of the training classes; their sum is what training minimises."""
        image, text, logits = self._run(views[0], self.classes)
        parts = {"cross_entropy": F.cross_entropy(logits, labels)}
        step = Step(views, labels, image, text, logits, self.teacher)
        for term in self.terms:
            parts |= term(step)
        return parts

    @torch.no_grad()
    def class_features(self, classes: ClassNames) -> Float[Tensor, "1 class out"]:
        """Normalised; the same for every image, so once per class list is enough."""
        if self.prompter.reads_images:
            raise ValueError("this method's class features differ between images: use `classifier`")
        return self._text_features(self.prompter(Given()), classes)

    @torch.no_grad()
    def image_features(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image out"]:
        """Normalised."""
        return self._image_features(self.prompter(self._given(pixels)), pixels)

    def classifier(self, classes: ClassNames) -> Callable[[Float[Tensor, "image 3 size size"]], Tensor]:
        """A function from images to logits over `classes`, with all that images have in common computed once."""
        if self.prompter.reads_images:
            return torch.no_grad()(lambda pixels: self(pixels, classes))
        text = self.class_features(classes)
        return torch.no_grad()(lambda pixels: self._logits(self.image_features(pixels), text))

    def _run(self, pixels: Tensor, classes: ClassNames) -> tuple[Tensor, Tensor, Tensor]:
        prompts = self.prompter(self._given(pixels))
        image, text = self._image_features(prompts, pixels), self._text_features(prompts, classes)
        return image, text, self._logits(image, text)

    def _given(self, pixels: Tensor) -> Given:
        return Given((lambda: self.teacher.image_features(pixels)) if self.prompter.reads_images else None)

    def _image_features(self, prompts: Prompts, pixels: Tensor) -> Tensor:
        features = _at_least_float32(self.clip.encode_image(pixels, prompts.image))
        return F.normalize(self.adapter.image(features) if self.adapter else features, dim=-1)

    def _text_features(self, prompts: Prompts, classes: ClassNames) -> Tensor:
        if classes not in self._texts:
            self._texts[classes] = self.clip.texts(classes.names, self.prompter.layout(classes))
        texts = self._texts[classes]
        if self.prompter.reads_classes and len(texts.chunks(self.clip.text.chunk_tokens)) > 1:
            raise ValueError(
                f"this method mixes over classes, so its {len(classes)} classes must run at once: raise "
                f"`clip.text.chunk_tokens` (now {self.clip.text.chunk_tokens}) or use fewer classes"
            )
        features = _at_least_float32(self.clip.encode_text(texts, prompts.text))
        return F.normalize(self.adapter.text(features) if self.adapter else features, dim=-1)

    def _logits(self, image: Tensor, text: Tensor) -> Float[Tensor, "image class"]:
        if text.shape[0] == 1:
            return self.clip.scale * image @ text[0].T
        return self.clip.scale * torch.einsum("io,ico->ic", image, text)


def _at_least_float32(features: Tensor) -> Tensor:
    return features.to(torch.promote_types(features.dtype, torch.float32))
