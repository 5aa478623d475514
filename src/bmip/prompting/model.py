"""A frozen CLIP with a method around it: it trains the method's parameters and classifies images."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bmip.class_names import ClassNames, check_class_names
from bmip.clip.model import CLIP
from bmip.clip.prompts import Prompts
from bmip.prompting.checkpoint import Description, copy_into, write_checkpoint
from bmip.prompting.frozen import FrozenImages
from bmip.prompting.gradients import guides_of, set_gradients
from bmip.prompting.low_rank import merged
from bmip.prompting.method import Method, Step
from bmip.prompting.towers import PromptedTowers
from bmip.system.messages import counted


@dataclass(frozen=True)
class Losses:
    """What one batch gives in training."""

    parts: dict[str, Float[Tensor, ""]]
    """By name: "cross_entropy", and the parts of the method's terms. The loss is their sum without the guides."""

    logits: Float[Tensor, "image class"]


class PromptedCLIP(nn.Module):
    """A frozen CLIP with a method around it. Gradients reach the method's parameters alone.

    Args:
        clip: it is frozen in place, and several models may hold the same one.
        method: its parts are moved to the CLIP's device.
        classes: the classes that the method is trained on. The model classifies among any others as well.

    Raises:
        ValueError: for class names and slots that do not fit into the text tower.
    """

    description: Description | None = None
    """What `save_pretrained` writes beside the tensors."""

    pairs_at_once: int = 2**15
    """How many class features `classifier` keeps at once where each image has its own: 64 MB in ViT-B/16."""

    def __init__(self, clip: CLIP, method: Method, classes: ClassNames) -> None:
        super().__init__()
        self.clip, self.method, self.classes = clip.requires_grad_(False), method, classes
        self.prompter, self.terms = method.prompter, nn.ModuleList(method.terms)
        self.changes, self.adapter, self.read_out = method.changes, method.adapter, method.read_out
        self.head = method.head
        self.towers = PromptedTowers(clip, method)
        self.teacher = self.towers.teacher(classes)
        self.views = max((term.views for term in method.terms), default=1)
        self.guides = guides_of(method.terms)
        self.to(clip.device)
        self.towers.texts(classes)  # names and slots that do not fit are known before any work

    @property
    def student(self) -> CLIP:
        """The CLIP that classifies: the frozen one, in which the method's changes stand in their places."""
        return self.towers.student

    @property
    def trained_on(self) -> ClassNames | None:
        """The only classes that it can tell apart, where it learned something of its own for each of them."""
        return self.head.classes if self.head else self.prompter.trained_on

    @property
    def reads_classes(self) -> bool:
        """Whether a class's logit depends on which other classes are asked about."""
        return self.prompter.reads_classes or self.tells_trained_classes

    @property
    def logits_need(self) -> str:
        """What the logits are made of beside `image_features` and `class_features`: a head, or a read-out of a second
        feature of the image; empty for most methods."""
        if self.head:
            return "a head on the image's feature"
        return "a read-out of a second feature of the image" if self.read_out else ""

    @property
    def tells_trained_classes(self) -> bool:
        """Whether the classes of training are treated by another rule than others."""
        return self.read_out is not None and self.read_out.trained_classes_only

    def described(self) -> Description:
        """The description of the model. Raises ValueError for a model that `build_model` has not built."""
        if self.description is None:
            raise ValueError("this model does not know its method's name and options: build it with `build_model`")
        return self.description

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the trainable parameters and their description; `bmip.from_pretrained(folder)` loads them.

        `folder` is created if need be and gets prompts.safetensors and prompts.json, which hold nothing of CLIP. Raises
        ValueError, and writes nothing, where a trainable parameter is not finite.
        """
        write_checkpoint(folder, self.learned(), self.described())

    def trainable(self) -> dict[str, nn.Parameter]:
        """The method's own parameters by name, as a checkpoint has them."""
        return {name: p for name, p in self.named_parameters() if not name.startswith("clip.") and p.requires_grad}

    def learned(self) -> dict[str, Tensor]:
        """All that a checkpoint holds: the trainable parameters, and what a head chose or remembers beside them."""
        beside = dict(self.head.named_buffers(prefix="head")) if self.head else {}
        return {**self.trainable(), **beside}

    def load_learned(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy what a checkpoint holds into the model. Raises ValueError as `load_trainable` does."""
        if self.head:
            own = {name.removeprefix("head."): tensor.shape for name, tensor in tensors.items()}
            self.head.make_room(own)
        copy_into(self.learned(), tensors)

    def load_trainable(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the tensors into the trainable parameters of the same names.

        Raises ValueError that lists missing and unexpected names, and tensors of another shape.
        """
        copy_into(self.trainable(), tensors)

    def check_classes(self, classes: ClassNames) -> None:
        """Raises ValueError where the method has parameters for each class and knows other classes than these.

        Also for names and slots that do not fit into the text tower, and for anything but ClassNames.
        """
        check_class_names(classes)
        known = self.trained_on
        if known is not None and known.names != classes.names:
            raise ValueError(
                "this method learned something of its own for each class and knows no others; it was trained on "
                f"{counted(len(known), 'class')} ({known.names[0]}, ...) and was asked about {len(classes)} "
                f"({classes.names[0]}, ...): train prompts that all classes share, such as those of bmip"
            )
        self.towers.texts(classes)

    def keep_only(self, lists: Collection[ClassNames]) -> None:
        """Drops what is remembered of class lists, but for these and for the classes of training.

        Nothing changes but memory and time: what is asked for again is computed again. Functions that `classifiers`
        returned keep what they need.
        """
        self.towers.keep_only({self.classes, *lists})

    def forward(self, pixels: Float[Tensor, "image 3 size size"], classes: ClassNames) -> Float[Tensor, "image class"]:
        """Logits of the images over `classes`. Everything is computed anew; for many images use `classifier`."""
        frozen = FrozenImages(self.clip, (pixels,))
        prompts = self._prompts(classes, frozen)
        images = self.towers.image_features(self.student, prompts, pixels, frozen)
        return self._logits(images, self.towers.class_features(prompts, classes)[0], classes)

    def losses(self, views: Sequence[Float[Tensor, "image 3 size size"]], labels: Int64[Tensor, " image"]) -> Losses:
        """The parts of the loss on a batch of the training classes; `backward` turns them into gradients.

        Args:
            views: at least `self.views` augmented copies of the images; the model sees the first.
            labels: indices into `self.classes`.
        """
        frozen = FrozenImages(self.clip, views)
        prompts = self._prompts(self.classes, frozen)
        images = self.towers.image_features(self.student, prompts, views[0], frozen)
        text, sentences = self.towers.class_features(prompts, self.classes)
        logits = self._logits(images, text, self.classes)
        parts = self._cross_entropies(images, text, logits, labels)
        step = Step(
            labels=labels,
            image_features=images[0],
            text_features=text,
            sentence_features=sentences,
            logits=logits,
            scale=self.clip.scale,
            teacher=self.teacher,
            frozen_images=frozen,
        )
        for term in self.terms:
            found = term(step)
            if twice := parts.keys() & found.keys():
                raise ValueError(f"two parts of the loss are called {min(twice)!r}: give each its own name")
            parts |= found
        return Losses(parts, logits)

    def backward(self, parts: Mapping[str, Tensor], scale: float = 1.0) -> None:
        """Give the trainable parameters, which have no `grad` yet, `scale` times the gradient of the sum of the parts.

        Terms with guides edit it; the parts that are their guides are not in the sum.
        """
        set_gradients(parts, self.method.terms, scale, lambda: self.trainable().values())

    @torch.no_grad()
    def class_features(self, classes: ClassNames) -> Float[Tensor, "1 class out"]:
        """Class features, normalised unless the method pools several of a class (ProDA). They are the same for all
        images, so once per class list is enough.

        Raises ValueError for a method whose class features differ between images.
        """
        if self.prompter.reads_images:
            raise ValueError(
                "this method's class features differ between images, so no class has features of its own: ask for the "
                "probabilities of images (in Python `classifier` or `predict_proba`)"
            )
        return self.towers.class_features(self._prompts(classes), classes)[0]

    @torch.no_grad()
    def image_features(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image out"]:
        """Normalised image features, read at the class token and behind the adapter if there is one.

        Their products with `class_features`, times `clip.scale`, are the logits, unless `logits_need` names something.
        """
        return self._each_image(pixels)[0]

    def _each_image(self, pixels: Tensor) -> tuple[Tensor, ...]:
        frozen = FrozenImages(self.clip, (pixels,), self.clip.memory)
        return self.towers.image_features(self.student, self._prompts(self.classes, frozen), pixels, frozen)

    def image_reader(self) -> Callable[[Float[Tensor, "image 3 size size"]], tuple[Tensor, ...]]:
        """A function from images to their normalised features: that of the class token and, where there is a read-out,
        its own. Prompts and changes are in place before it is called, so it can be traced, and differences to matrices
        are merged into them: they cost nothing any more. Training goes on elsewhere: ask for a reader again after it.

        Raises LookupError for a method whose prompts differ between images.
        """
        student, prompts = merged(self.student), self.prompts(self.classes)
        return lambda pixels: self.towers.image_features(student, prompts, pixels, FrozenImages(self.clip, (pixels,)))

    def feature_classifier(self, classes: ClassNames) -> Callable[[Sequence[Tensor]], Float[Tensor, "image class"]]:
        """A function from what `image_reader`'s returns to logits over `classes`; both in turn are `classifier`.

        Raises ValueError as `class_features` does.
        """
        text = self.class_features(classes)
        return lambda features: self._logits(features, text, classes)

    def classifier(self, classes: ClassNames) -> Callable[[Float[Tensor, "image 3 size size"]], Tensor]:
        """A function from images to their logits over `classes`; it computes once what all images share."""
        classify = self.classifiers([classes])
        return lambda pixels: classify(pixels)[0]

    def classifiers(self, lists: Sequence[ClassNames]) -> Callable[[Float[Tensor, "image 3 size size"]], list[Tensor]]:
        """As `classifier` for several class lists. The features of an image are computed once for all lists, unless the
        prompts differ between images.
        """
        if self.prompter.reads_images or self.prompter.changes_itself:
            return partial(self._in_parts, lists)
        return partial(self._classified, lists, [self.class_features(classes) for classes in lists])

    @torch.no_grad()
    def _classified(self, lists: Sequence[ClassNames], texts: Sequence[Tensor], pixels: Tensor) -> list[Tensor]:
        images = self._each_image(pixels)
        return [self._logits(images, text, classes) for text, classes in zip(texts, lists, strict=True)]

    @torch.no_grad()
    def _in_parts(self, lists: Sequence[ClassNames], pixels: Tensor) -> list[Tensor]:
        """Logits where each image has class features of its own: only so many images at once."""
        parts = [pixels.split(max(1, self.pairs_at_once // len(classes))) for classes in lists]
        return [torch.cat([self(part, own) for part in each]) for each, own in zip(parts, lists, strict=True)]

    @torch.no_grad()
    def prompts(self, classes: ClassNames, pixels: Float[Tensor, "image 3 size size"] | None = None) -> Prompts:
        """What enters both towers for these classes and images, for those who look at prompts.

        Raises LookupError without images where the prompts differ between images.
        """
        return self._prompts(classes, None if pixels is None else FrozenImages(self.clip, (pixels,)))

    def _prompts(self, classes: ClassNames, frozen: FrozenImages | None = None) -> Prompts:
        self.check_classes(classes)
        return self.towers.prompts(classes, frozen)

    def _logits(self, images: Sequence[Tensor], text: Tensor, classes: ClassNames) -> Float[Tensor, "image class"]:
        """Logits from each feature of the images, mixed as the read-out says; or those of the head."""
        if self.head:
            return self.head(images[0], images[0] @ text[0].T, self.clip.scale)
        logits = self._scaled(images[0], text)
        if self.read_out and not (self.tells_trained_classes and not classes.same_set(self.classes)):
            return torch.lerp(logits, self._scaled(images[1], text), self.read_out.share)
        return logits

    def _cross_entropies(
        self, images: Sequence[Tensor], text: Tensor, logits: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """The cross-entropy of the logits; with a read-out that of each feature, with the weights of their logits."""
        if not self.read_out:
            return {"cross_entropy": F.cross_entropy(logits, labels)}
        own, read = (F.cross_entropy(self._scaled(image, text), labels) for image in images)
        share = self.read_out.share
        return {"cross_entropy": (1 - share) * own, "read_out_cross_entropy": share * read}

    def _scaled(self, image: Tensor, text: Tensor) -> Float[Tensor, "image class"]:
        if text.shape[0] == 1:
            return self.clip.scale * image @ text[0].T
        return self.clip.scale * torch.einsum("io,ico->ic", image, text)
