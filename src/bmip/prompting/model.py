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
from bmip.clip.changed import changed
from bmip.clip.model import CLIP
from bmip.clip.prompts import Prompts, slots_of
from bmip.clip.text_layout import TextLayout
from bmip.clip.texts import ClassTexts
from bmip.prompting.checkpoint import Description, write_checkpoint
from bmip.prompting.low_rank import merged
from bmip.prompting.method import FrozenImages, Given, Method, Step, Teacher, at_least_float32
from bmip.system.messages import counted


@dataclass(frozen=True)
class Losses:
    """What one batch gives in training."""

    parts: dict[str, Float[Tensor, ""]]
    """The parts of the loss by name: "cross_entropy", and those of the method's terms."""

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
        self.teacher = Teacher(clip, classes)
        self._teachers = {classes: self.teacher}
        self.views = max((term.views for term in method.terms), default=1)
        self._texts: dict[ClassNames, tuple[ClassTexts, ...]] = {}
        self._frozen_texts: dict[ClassNames, Tensor] = {}
        self.to(clip.device)
        self._laid_out(classes)  # names and slots that do not fit are known before any work

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> PromptedCLIP:
        """Where the model moves or changes its type, what is remembered of class lists is computed anew."""
        for held in (self._texts, self._frozen_texts, self.teacher.remembered):
            held.clear()
        self._teachers = {self.classes: self.teacher}
        return super()._apply(fn, recurse)

    @property
    def student(self) -> CLIP:
        """The CLIP that classifies: the frozen one, in which the method's changes stand in their places."""
        return changed(self.clip, self.changes.around(self.clip)) if self.changes else self.clip

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
        _copy(self.learned(), tensors)

    def load_trainable(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the tensors into the trainable parameters of the same names.

        Raises ValueError that lists missing and unexpected names, and tensors of another shape.
        """
        _copy(self.trainable(), tensors)

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
        self._laid_out(classes)

    def keep_only(self, lists: Collection[ClassNames]) -> None:
        """Drops what is remembered of class lists, but for these and for the classes of training.

        Nothing changes but memory and time: what is asked for again is computed again. Functions that `classifiers`
        returned keep what they need.
        """
        for held in (self._texts, self._frozen_texts, self._teachers):
            for classes in held.keys() - {self.classes, *lists}:
                del held[classes]

    def forward(self, pixels: Float[Tensor, "image 3 size size"], classes: ClassNames) -> Float[Tensor, "image class"]:
        """Logits of the images over `classes`. Everything is computed anew; for many images use `classifier`."""
        frozen = FrozenImages(self.clip, (pixels,))
        prompts = self.prompter(self._given(classes, frozen))
        images = self._read_images(self.student, prompts, pixels, frozen)
        return self._logits(images, self._text_features(prompts, classes)[0], classes)

    def losses(self, views: Sequence[Float[Tensor, "image 3 size size"]], labels: Int64[Tensor, " image"]) -> Losses:
        """The parts of the loss on a batch of the training classes; `backward` turns them into gradients.

        Args:
            views: at least `self.views` augmented copies of the images; the model sees the first.
            labels: indices into `self.classes`.
        """
        frozen = FrozenImages(self.clip, views)
        prompts = self.prompter(self._given(self.classes, frozen))
        images = self._read_images(self.student, prompts, views[0], frozen)
        text, sentences = self._text_features(prompts, self.classes)
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
        """Set the trainable parameters' `grad` to `scale` times the gradient of the sum of the parts.

        Terms with guides edit it; the parts that are their guides are not in the sum.
        """
        editors = [term for term in self.method.terms if term.guides]
        guides = {name for term in editors for name in term.guides}
        minimised = torch.stack([part for name, part in parts.items() if name not in guides]).sum()
        (minimised * scale).backward(retain_graph=bool(editors))
        for number, term in enumerate(editors, start=1):
            tensors = [tensor for tensor in self.trainable().values() if tensor.grad is not None]
            guide = torch.stack([parts[name] for name in sorted(term.guides)]).sum() * scale
            found = torch.autograd.grad(
                guide, tensors, retain_graph=number < len(editors), allow_unused=True, materialize_grads=True
            )
            own = [tensor.grad for tensor in tensors if tensor.grad is not None]
            edited = term.edit(*(torch.cat([grad.flatten() for grad in grads]) for grads in (own, found)))
            for grad, new in zip(own, edited.split([grad.numel() for grad in own]), strict=True):
                grad.copy_(new.view_as(grad))

    @torch.no_grad()
    def class_features(self, classes: ClassNames) -> Float[Tensor, "1 class out"]:
        """Normalised class features. They are the same for all images, so once per class list is enough.

        Raises ValueError for a method whose class features differ between images.
        """
        if self.prompter.reads_images:
            raise ValueError(
                "this method's class features differ between images, so no class has features of its own: ask for the "
                "probabilities of images (in Python `classifier` or `predict_proba`)"
            )
        return self._text_features(self.prompter(self._given(classes)), classes)[0]

    @torch.no_grad()
    def image_features(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image out"]:
        """Normalised image features, read at the class token and behind the adapter if there is one.

        Their products with `class_features`, times `clip.scale`, are the logits, unless `logits_need` names something.
        """
        return self._each_image(pixels)[0]

    def _each_image(self, pixels: Tensor) -> tuple[Tensor, ...]:
        frozen = FrozenImages(self.clip, (pixels,), self.clip.memory)
        return self._read_images(self.student, self.prompter(self._given(self.classes, frozen)), pixels, frozen)

    def image_reader(self) -> Callable[[Float[Tensor, "image 3 size size"]], tuple[Tensor, ...]]:
        """A function from images to their normalised features: that of the class token and, where there is a read-out,
        its own. Prompts and changes are in place before it is called, so it can be traced, and differences to matrices
        are merged into them: they cost nothing any more, and nothing trained reaches it later.

        Raises LookupError for a method whose prompts differ between images.
        """
        student, prompts = merged(self.student), self.prompts(self.classes)
        return lambda pixels: self._read_images(student, prompts, pixels, FrozenImages(self.clip, (pixels,)))

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
        """As `classifier` for several class lists; the features of an image are computed once for all lists."""
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
        return self.prompter(self._given(classes, None if pixels is None else FrozenImages(self.clip, (pixels,))))

    def _given(self, classes: ClassNames, frozen: FrozenImages | None = None) -> Given:
        """What the prompter reads of these classes and images. Raises ValueError as `check_classes` does."""
        self.check_classes(classes)
        images = frozen.features(0) if frozen and self.prompter.reads_images else None
        if not self.prompter.reads_class_features:
            return Given(images)
        return Given(images, self._teacher_of(classes).text_features([classes.template]))

    def _teacher_of(self, classes: ClassNames) -> Teacher:
        return self._teachers.setdefault(classes, Teacher(self.clip, classes))

    def _read_images(self, student: CLIP, prompts: Prompts, pixels: Tensor, frozen: FrozenImages) -> tuple[Tensor, ...]:
        """Normalised features of the images: read at the class token, and by the read-out where there is one."""
        beside = ()
        if self.read_out:
            if not slots_of(prompts.image):
                raise ValueError(
                    "this read-out reads the image tower's slots, and these prompts fill none: take prompts that enter "
                    "the image tower"
                )
            features, slots = student.read_image(pixels, prompts.image)
            beside = (F.normalize(self.read_out(at_least_float32(slots)), dim=-1),)
        elif prompts.image or student.image is not self.clip.image:
            features = student.encode_image(pixels, prompts.image)
        else:
            features = frozen.unnormalised(0)
        features = at_least_float32(features)
        return F.normalize(self.adapter.image(features, frozen) if self.adapter else features, dim=-1), *beside

    def _text_features(self, prompts: Prompts, classes: ClassNames) -> tuple[Tensor, Tensor]:
        """Normalised features of the classes, and of the sentences that those are pooled from."""
        texts = self._laid_out(classes)
        student = self.student
        if prompts.text or any(prompts.sentences) or student.text is not self.clip.text:
            features = self._encode_texts(student, texts, prompts)
        else:
            if classes not in self._frozen_texts:
                with torch.no_grad():
                    self._frozen_texts[classes] = self._encode_texts(student, texts, prompts)
            features = self._frozen_texts[classes]
        each = F.normalize(self.adapter.text(features, self._teacher_of(classes)) if self.adapter else features, dim=-1)
        several = len(texts) > 1 or prompts.sentences
        return (self.prompter.pool(each) if several else each), each

    def _encode_texts(
        self, student: CLIP, texts: Sequence[ClassTexts], prompts: Prompts
    ) -> Float[Tensor, "lead class out"]:
        found = []
        for text, entering in zip(texts, prompts.sentences or [prompts.text] * len(texts), strict=True):
            if self.prompter.reads_classes and len(student.text.chunks(text, entering)) > 1:
                raise ValueError(
                    f"this method mixes over classes, so its {text.classes} classes must run at once: raise "
                    f"`clip.text.chunk_tokens` (now {self.clip.text.chunk_tokens}) or use fewer classes"
                )
            if not (entering and isinstance(entering[0], Tensor) and entering[0].shape[0] == 0):
                found.append(student.encode_text(text, entering))
        return at_least_float32(torch.cat(found))

    def _laid_out(self, classes: ClassNames) -> tuple[ClassTexts, ...]:
        if classes not in self._texts:
            layouts = self.prompter.layout(classes)
            layouts = (layouts,) if isinstance(layouts, TextLayout) else layouts
            if self.prompter.reads_images and len(layouts) > 1:
                raise ValueError("prompts that read images stand in one sentence a class, and this layout has several")
            self._texts[classes] = tuple(self.clip.texts(classes.names, layout) for layout in layouts)
        return self._texts[classes]

    def _logits(self, images: Sequence[Tensor], text: Tensor, classes: ClassNames) -> Float[Tensor, "image class"]:
        """Logits from each feature of the images, mixed as the read-out says; or those of the head."""
        if self.head:
            return self.head(images[0], images[0] @ text[0].T, self.clip.scale)
        logits = self._scaled(images[0], text)
        if self.read_out and not (self.tells_trained_classes and set(classes.names) != set(self.classes.names)):
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


def _copy(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    faults = {
        "missing": sorted(own.keys() - tensors.keys()),
        "unexpected": sorted(tensors.keys() - own.keys()),
        "shape": [
            f"{name} is {tuple(tensors[name].shape)} and needs {tuple(own[name].shape)}"
            for name in sorted(own.keys() & tensors.keys())
            if own[name].shape != tensors[name].shape
        ],
    }
    if any(faults.values()):
        said = "; ".join(f"{what}: {', '.join(names)}" for what, names in faults.items() if names)
        raise ValueError(f"these trainable parameters do not fit the method: {said}")
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(tensors[name])
