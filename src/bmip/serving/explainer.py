"""The explanation of one picture as a PNG."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor

from bmip.evaluation.predict import predict
from bmip.explaining.explain import explain
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.report.explanation_picture import draw_explanation
from bmip.serving.limits import WHOLE, RefusedError
from bmip.system.messages import first_line


@dataclass(frozen=True, eq=False)
class Comparison:
    """One picture, and the classes that are told apart in it."""

    square: UInt8[Tensor, "3 size size"]
    names: tuple[str, ...]
    """Two names are told apart. One is told apart from the most probable other class of training, and without a name
    the two most probable ones are."""


class Explainer:
    """Draws explanations, with a model of its own around the same frozen CLIP. It is for one thread."""

    def __init__(self, model: PromptedCLIP) -> None:
        described = model.described()
        self._model = build_model(
            described.spec.method, dict(described.options), model.clip, model.classes, seed=described.spec.init_seed
        ).eval()
        self._model.load_learned(model.learned())
        self._model.description = described

    def pictures(self, comparisons: Sequence[Comparison]) -> list[bytes | Exception]:
        """A PNG for each; RefusedError where the method cannot tell these classes apart."""
        return [self._picture(comparison) for comparison in comparisons]

    def _picture(self, comparison: Comparison) -> bytes | Exception:
        try:
            names = self._names(comparison)
            found = explain(self._model, comparison.square, names)
        except ValueError as error:
            return RefusedError(422, first_line(error, WHOLE))
        finally:
            self._model.keep_only([])
        with tempfile.TemporaryDirectory(prefix="bmip-explain-") as folder:
            file = Path(folder) / "explanation.png"
            draw_explanation(found, file)
            return file.read_bytes()

    def _names(self, comparison: Comparison) -> tuple[str, ...] | None:
        if len(comparison.names) != 1:
            return comparison.names or None
        (name,) = comparison.names
        (prediction,) = predict(self._model, comparison.square, top=2)
        other = next((guess.name for guess in prediction.guesses if guess.name != name), None)
        return (name,) if other is None else (name, other)
