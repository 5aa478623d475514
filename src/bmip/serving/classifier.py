"""A trained model that answers questions about many class lists."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.evaluation.logits import batch_logits
from bmip.prompting.model import PromptedCLIP
from bmip.serving.limits import WHOLE, RefusedError
from bmip.system.messages import first_line

Classify = Callable[[Tensor], list[Tensor]]


@dataclass(frozen=True, eq=False)
class Question:
    """One picture and the classes that it is asked about."""

    square: UInt8[Tensor, "3 size size"]
    """The centre square of the picture, of the size that the CLIP takes."""

    classes: ClassNames


class Classifier:
    """Probabilities for pictures. The features of the class lists that were asked about last are remembered.

    It is for one thread. The model is in evaluation mode from here on.
    """

    def __init__(self, model: PromptedCLIP, class_lists: int) -> None:
        self._model, self._most = model.eval(), class_lists
        self._own = model.classifiers([model.classes])
        self._lists: OrderedDict[ClassNames, Classify] = OrderedDict()
        self.computed = 0
        """How many times features of a class list were computed."""

    def answers(self, questions: Sequence[Question]) -> list[Float[Tensor, " class"] | Exception]:
        """The probabilities of each question's classes; RefusedError where the model cannot take these classes.

        Pictures with the same classes go through the model together.
        """
        found: dict[int, Tensor | Exception] = {}
        for classes in dict.fromkeys(question.classes for question in questions):
            places = [place for place, question in enumerate(questions) if question.classes == classes]
            try:
                rows = self._probabilities(torch.stack([questions[place].square for place in places]), classes)
            except Exception as error:  # of this class list, which says nothing about the others
                found |= dict.fromkeys(places, error)
            else:
                found |= zip(places, rows, strict=True)
        return [found[place] for place in range(len(questions))]

    def _probabilities(self, squares: Tensor, classes: ClassNames) -> Float[Tensor, "image class"]:
        classify = self._classify(classes)
        ((_, (logits,)),) = batch_logits(self._model, [(squares, None)], [classes], classify=classify)
        return logits.float().softmax(-1)

    def _classify(self, classes: ClassNames) -> Classify:
        if classes == self._model.classes:
            return self._own
        if classes in self._lists:
            self._lists.move_to_end(classes)
            return self._lists[classes]
        try:
            self._model.check_classes(classes)
            classify = self._model.classifiers([classes])
        except ValueError as error:
            self._model.keep_only(self._lists)
            raise RefusedError(422, first_line(error, WHOLE)) from error
        self.computed += 1
        self._lists[classes] = classify
        if len(self._lists) > self._most:
            self._lists.popitem(last=False)
            self._model.keep_only(self._lists)
        return classify
