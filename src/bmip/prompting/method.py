"""The parts of a method: a prompter, and beside it loss terms, changes inside the towers, and more.

The towers and the trainer know these parts and no method by name, so any prompter goes with any other method's extras.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.prompts import Prompts
from bmip.clip.text_layout import TextLayout
from bmip.prompting.frozen import FrozenImages, Teacher
from bmip.prompting.head import Head


@dataclass(frozen=True)
class Given:
    """What a prompter may condition on."""

    features: Float[Tensor, "image out"] | None = None
    """The frozen tower's normalised features of the images at hand; None for prompters that do not read images."""

    classes: Float[Tensor, "class out"] | None = None
    """The frozen tower's normalised features of the classes at hand; None for prompters that do not read them."""

    @property
    def image_features(self) -> Float[Tensor, "image out"]:
        """The frozen tower's normalised features of the images at hand.

        Raises LookupError for a prompter that does not declare `reads_images`.
        """
        if self.features is None:
            raise LookupError("declare `reads_images = True` on the prompter to condition on image features")
        return self.features

    @property
    def class_features(self) -> Float[Tensor, "class out"]:
        """The frozen tower's normalised features of the classes at hand, in the data set's own sentence.

        Raises LookupError for a prompter that does not declare `reads_class_features`.
        """
        if self.classes is None:
            raise LookupError("declare `reads_class_features = True` on the prompter to condition on class features")
        return self.classes


@dataclass(frozen=True)
class Gauge:
    """A module whose output tells a person how the prompts of one layer are made."""

    quantity: str
    """What the output is, such as "gate weight"."""

    tower: Literal["text", "image"]
    layer: int
    """Counted from 1."""

    module: nn.Module


class Prompter(nn.Module, ABC):
    """Makes the prompts of both towers. Its parameters are what is trained.

    The attributes declare which usual properties of a classifier it does not have. They decide what is computed only
    once, and the contract tests check them.
    """

    reads_images: bool = False
    """Prompts differ between images, so class features cannot be computed once."""

    reads_classes: bool = False
    """A class's logit depends on which other classes are asked about, so classes cannot be run in chunks."""

    reads_class_features: bool = False
    """Text prompts are made of the frozen features of the classes at hand, each class's of its own."""

    reads_batch: bool = False
    """An image's logits depend on the other images of its batch."""

    changes_itself: bool = False
    """Each use changes the parameters, so that an answer depends on how many came before (released HiCroPL only)."""

    dead: frozenset[str] = frozenset()
    """Names of parameters that are known to get no gradient, or only zeros."""

    trained_on: ClassNames | None = None
    """The only classes that it can tell apart, where it has parameters for each of them."""

    @abstractmethod
    def layout(self, classes: ClassNames) -> TextLayout | Sequence[TextLayout]:
        """The sentence around each class name in which the text prompts stand, or several sentences for `pool`."""

    def gauges(self) -> Sequence[Gauge]:
        """What a run keeps about the prompts: the mean of each gauge's output over the test images."""
        return ()

    def pool(self, each: Float[Tensor, "sentence class out"]) -> Float[Tensor, "1 class out"]:
        """Class features from the normalised features of several sentences: here the direction of their mean."""
        return F.normalize(each.mean(0, keepdim=True), dim=-1)

    @abstractmethod
    def forward(self, given: Given) -> Prompts:
        """The prompts of both towers, for the images and classes at hand where it reads them.

        Image prompts do not depend on the classes: an image's features are computed once for all class lists.
        """


@dataclass(frozen=True)
class Step:
    """What a loss term sees of one training step. All features are normalised, but for text features that the prompter
    pools from several of a class."""

    labels: Int64[Tensor, " image"]
    image_features: Float[Tensor, "image out"]
    text_features: Float[Tensor, "#image class out"]
    sentence_features: Float[Tensor, "sentence class out"]
    """The features that `text_features` was pooled from; with a single sentence they are the same."""

    logits: Float[Tensor, "image class"]
    scale: Float[Tensor, ""]
    """The factor that turns cosines into logits."""

    teacher: Teacher
    frozen_images: FrozenImages


class Term(nn.Module, ABC):
    """An extra loss beside the cross-entropy, in named parts that are added to the loss and logged."""

    views: int = 1
    """How many augmented copies of each image the term needs; the model sees the first."""

    guides: frozenset[str] = frozenset()
    """Names of parts that are not added to the loss; their gradients go to `edit`."""

    @abstractmethod
    def forward(self, step: Step) -> dict[str, Float[Tensor, ""]]:
        """The parts of this loss by name."""

    def edit(self, gradient: Float[Tensor, " value"], guides: Float[Tensor, " value"]) -> Float[Tensor, " value"]:
        """Returns the update direction from the flattened gradients of the loss and of the guides' sum.

        It must not depend on a common factor of both. Only a term with guides needs it.
        """
        raise NotImplementedError(f"{type(self).__name__} has guides and does not say what they do")


class Adapter(nn.Module):
    """Trainable maps behind the towers, on features before normalisation."""

    def image(self, features: Float[Tensor, "image out"], frozen: FrozenImages) -> Float[Tensor, "image out"]:
        """The image features that replace these; here the same. `frozen` has those of the frozen CLIP."""
        return features

    def text(self, features: Float[Tensor, "#image class out"], teacher: Teacher) -> Float[Tensor, "#image class out"]:
        """The class features that replace these; here the same. `teacher` has those of the frozen CLIP."""
        return features


class Changes(nn.Module, ABC):
    """Trainable modules inside the towers, beside CLIP's own or around them. CLIP itself stays as it is."""

    @abstractmethod
    def around(self, clip: CLIP) -> Mapping[str, nn.Module]:
        """What stands in which place of this CLIP, such as a `LowRank` map at "text.blocks.3.qkv".

        A module may use the one in whose place it stands. At "beside" of a block CLIP has none: what a module there
        makes of the block's normalised input is added to the block's output.
        """


class ReadOut(nn.Module, ABC):
    """A second feature of each image, read in the image tower's slots, whose logits are mixed with the class token's.

    The mixed logits are the mean of both, the read-out's with weight `share`; the cross-entropies are mixed alike.
    """

    share: float
    """The weight of the read-out, 0 to 1."""

    trained_classes_only: bool = False
    """Whether the read-out counts only where the classes asked about are those of training. Such a rule tells known
    classes from new ones by their list, so comparisons between the two are not for it. (MMRL, as released)"""

    @abstractmethod
    def forward(self, slots: Float[Tensor, "image slot width"]) -> Float[Tensor, "image out"]:
        """Features before normalisation, from what stands in the slots behind the last layer norm."""


class Average(ABC):
    """A weighted mean of the trainable parameters over epochs. It replaces them after the last epoch."""

    @abstractmethod
    def weight(self, epoch: int, epochs: int) -> float:
        """The weight of the parameters after `epoch` (counted from 0), before all weights are divided by their sum."""


@dataclass(frozen=True, kw_only=True)
class Extras:
    """The parts of a method that go with any prompter."""

    terms: Sequence[Term] = ()
    changes: Changes | None = None
    adapter: Adapter | None = None
    read_out: ReadOut | None = None
    average: Average | None = None

    @property
    def single(self) -> frozenset[str]:
        """The names of those of its parts of which a method can have only one."""
        return frozenset(part.name for part in fields(self) if part.name in SINGLE and getattr(self, part.name))


SINGLE = {
    "adapter": "an adapter",
    "read_out": "a read-out",
    "average": "an average",
    "changes": "changes of CLIP",
    "head": "a head",
}
"""The parts of which a method can have only one, in words."""


def check_together(own: frozenset[str], added: frozenset[str]) -> None:
    """Raises ValueError where both have a part of which there can be only one, and where one of them has a head.

    Both are names of `SINGLE`.
    """
    if "head" in own | added:
        raise ValueError(
            "a head works on the features of the frozen CLIP alone, so it goes with nothing that changes them: use the "
            "method that has it alone"
        )
    if twice := own & added:
        raise ValueError(f"both methods bring {SINGLE[min(twice)]}, and only one can be used: combine others")


@dataclass(frozen=True, kw_only=True)
class Method(Extras):
    """A prompter with its extras: all that is put around a CLIP."""

    prompter: Prompter
    head: Head | None = None
    """It works on the features of the frozen CLIP, so only a method without prompts and extras has one."""

    def plus(self, extras: Extras) -> Method:
        """This method with the terms of the extras beside its own, and with their other parts.

        Raises ValueError where both bring a part of which there can be only one, and for a method with a head.
        """
        check_together(self.single, extras.single)
        added = {name: getattr(extras, name) for name in extras.single}
        return replace(self, terms=(*self.terms, *extras.terms), **added)
