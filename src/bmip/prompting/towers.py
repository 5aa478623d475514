"""The towers of a CLIP with a method's prompts and changes in place: features of images and of class lists."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.changed import changed
from bmip.clip.model import CLIP
from bmip.clip.prompts import Prompts, slots_of
from bmip.clip.text_layout import TextLayout
from bmip.clip.texts import ClassTexts
from bmip.prompting.frozen import FrozenImages, Teacher, at_least_float32
from bmip.prompting.method import Given, Method


class PromptedTowers:
    """What both towers say with a method's parts in place. Of each class list it remembers what never changes."""

    def __init__(self, clip: CLIP, method: Method) -> None:
        self.clip, self.prompter = clip, method.prompter
        self.changes, self.adapter, self.read_out = method.changes, method.adapter, method.read_out
        self._texts: dict[ClassNames, tuple[ClassTexts, ...]] = {}
        self._frozen_texts: dict[ClassNames, Tensor] = {}
        self._teachers: dict[ClassNames, Teacher] = {}
        self._made_by = clip.state

    @property
    def student(self) -> CLIP:
        """The CLIP that classifies: the frozen one, in which the method's changes stand in their places."""
        return changed(self.clip, self.changes.around(self.clip)) if self.changes else self.clip

    def keep_only(self, lists: Collection[ClassNames]) -> None:
        """Drops what is remembered of other class lists: what is asked for again is computed again."""
        for held in (self._texts, self._frozen_texts, self._teachers):
            for classes in held.keys() - set(lists):
                del held[classes]

    def _forget_what_is_old(self) -> None:
        """Drops all that was computed before the CLIP has moved or changed its type."""
        if self._made_by == self.clip.state:
            return
        self._made_by = self.clip.state
        self._texts.clear()
        self._frozen_texts.clear()
        for teacher in self._teachers.values():
            teacher.remembered.clear()

    def teacher(self, classes: ClassNames) -> Teacher:
        """The frozen CLIP's features of these classes."""
        self._forget_what_is_old()
        return self._teachers.setdefault(classes, Teacher(self.clip, classes))

    def texts(self, classes: ClassNames) -> tuple[ClassTexts, ...]:
        """The prompter's sentences around each name. Raises ValueError for those that do not fit the text tower."""
        self._forget_what_is_old()
        if classes not in self._texts:
            layouts = self.prompter.layout(classes)
            layouts = (layouts,) if isinstance(layouts, TextLayout) else layouts
            if self.prompter.reads_images and len(layouts) > 1:
                raise ValueError("prompts that read images stand in one sentence a class, and this layout has several")
            self._texts[classes] = tuple(self.clip.texts(classes.names, layout) for layout in layouts)
        return self._texts[classes]

    def prompts(self, classes: ClassNames, frozen: FrozenImages | None = None) -> Prompts:
        """What enters both towers. Raises LookupError without images where the prompts differ between images."""
        images = frozen.features(0) if frozen and self.prompter.reads_images else None
        reads = self.prompter.reads_class_features
        return self.prompter(Given(images, self.teacher(classes).text_features([classes.template]) if reads else None))

    def image_features(
        self, student: CLIP, prompts: Prompts, pixels: Tensor, frozen: FrozenImages
    ) -> tuple[Tensor, ...]:
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

    def class_features(self, prompts: Prompts, classes: ClassNames) -> tuple[Tensor, Tensor]:
        """Normalised features of the classes, and of the sentences that those are pooled from."""
        texts = self.texts(classes)
        student = self.student
        if prompts.text or any(prompts.sentences) or student.text is not self.clip.text:
            features = self._encode_texts(student, texts, prompts)
        else:
            if classes not in self._frozen_texts:
                with torch.no_grad():
                    self._frozen_texts[classes] = self._encode_texts(student, texts, prompts)
            features = self._frozen_texts[classes]
        each = F.normalize(self.adapter.text(features, self.teacher(classes)) if self.adapter else features, dim=-1)
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
