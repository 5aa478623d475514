"""What the frozen text tower makes of sentences about the classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from bmip.clip.text_layout import TextLayout
from bmip.prompting.frozen import Teacher, at_least_float32
from bmip.prompting.sentences import read_sentences, sentences_of
from bmip.prompting.templates import NEUTRAL


class DescribedClasses:
    """The frozen features of sentences about each class; a teacher computes them once.

    Args:
        file: a JSON file of {class name: [sentence, ...]}; without one the sentences are neutral templates.
    """

    def __init__(self, file: str) -> None:
        self.file = file

    def each(self, teacher: Teacher) -> list[Float[Tensor, "sentence out"]]:
        """For each class the normalised features of its sentences. Raises ValueError for classes without sentences."""
        return teacher.once(("sentences", self.file), lambda: self._encode(teacher))

    def features(self, teacher: Teacher) -> Float[Tensor, "class out"]:
        """The normalised mean of each class's features. Raises ValueError for classes without sentences."""
        return teacher.once(("described", self.file), lambda: self._means(teacher))

    def _means(self, teacher: Teacher) -> Tensor:
        return F.normalize(torch.stack([own.mean(0) for own in self.each(teacher)]), dim=-1)

    @torch.no_grad()
    def _encode(self, teacher: Teacher) -> list[Tensor]:
        if not self.file:
            return list(torch.stack([teacher.text_features([template]) for template in NEUTRAL], dim=1))
        texts = sentences_of(teacher.classes, read_sentences(self.file))
        whole = teacher.clip.texts([text for own in texts for text in own], TextLayout("{}"))
        features = F.normalize(at_least_float32(teacher.clip.encode_text(whole)[0]), dim=-1)
        return list(features.split([len(own) for own in texts]))
