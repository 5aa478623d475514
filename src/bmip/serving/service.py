"""What the server does for a request, from files to answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fastapi import UploadFile
from jaxtyping import UInt8
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.data.transforms import centre_square
from bmip.evaluation.predict import classes_of
from bmip.prompting.model import PromptedCLIP
from bmip.serving.answers import Picture, Predictions, Score
from bmip.serving.batching import Lane
from bmip.serving.classifier import Classifier, Question
from bmip.serving.explainer import Comparison, Explainer
from bmip.serving.gauges import Gauges
from bmip.serving.limits import WHOLE, Limits, RefusedError
from bmip.serving.uploads import check_bytes, shown_name, upload_pixels
from bmip.system.machine import cores
from bmip.system.messages import first_line


class Service:
    """Decodes in a few threads, and classifies and explains in one thread each. `close` ends them."""

    def __init__(self, model: PromptedCLIP, limits: Limits, gauges: Gauges) -> None:
        self._model, self._limits = model, limits
        self._decoders = ThreadPoolExecutor(min(4, cores()), "bmip-decoder")
        self._classifying = Lane(Classifier(model, limits.class_lists).answers, limits.batch, gauges.batch)
        self._explaining = Lane(Explainer(model).pictures, 1, gauges.explanation)

    @property
    def explains(self) -> bool:
        """Whether the method can tell any two classes apart."""
        return self._model.trained_on is None

    async def predict(self, images: Sequence[UploadFile], names: Sequence[str], top: int | None) -> Predictions:
        """The most probable classes of each picture; `top` None: all classes. Raises RefusedError."""
        if len(images) > self._limits.images:
            raise RefusedError(422, f"{len(images)} pictures came; a request may have {self._limits.images}")
        classes = self._classes(names)
        shown = [shown_name(image.filename, number) for number, image in enumerate(images, start=1)]
        squares = await _all([self._square(image, name) for image, name in zip(images, shown, strict=True)])
        waiting = self._classifying.submit([Question(square, classes) for square in squares])
        rows = await _all([asyncio.wrap_future(future) for future in waiting])
        predictions = [
            Picture(name=name, scores=_scores(row, classes, top)) for name, row in zip(shown, rows, strict=True)
        ]
        return Predictions(classes=list(classes.names), predictions=predictions)

    async def explain(self, image: UploadFile, names: Sequence[str]) -> bytes:
        """The picture of an explanation, as PNG. Raises RefusedError."""
        if len(names) > 2:
            raise RefusedError(422, f"{len(names)} class names came: give one or two, to see what tells them apart")
        asked = self._classes(names).names if names else ()
        square = await self._square(image, shown_name(image.filename, 1))
        (future,) = self._explaining.submit([Comparison(square, asked)])
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Ends all threads after what they are at, and returns then."""
        self._decoders.shutdown(cancel_futures=True)
        self._classifying.close()
        self._explaining.close()

    def _classes(self, names: Sequence[str]) -> ClassNames:
        """The class list; without names that of training. Raises RefusedError for names that cannot be asked about."""
        most, letters = self._limits.classes, self._limits.class_letters
        if not names:
            return self._model.classes
        if len(names) > most:
            raise RefusedError(422, f"{len(names):,} class names came; a request may have {most:,}")
        if long := next((name for name in names if len(name) > letters), None):
            raise RefusedError(
                422, f"the class name {long[:40]!r}... has {len(long):,} letters; a name may have {letters}"
            )
        try:
            return classes_of(self._model, [name.strip() for name in names])
        except ValueError as error:
            raise RefusedError(422, first_line(error, WHOLE)) from error

    async def _square(self, image: UploadFile, name: str) -> UInt8[Tensor, "3 size size"]:
        check_bytes(image.size, name, self._limits)
        size = self._model.clip.config.image_size

        def decoded() -> Tensor:  # reads here, so that large files are in memory one for each thread, and not all
            return centre_square(upload_pixels(image.file.read(), name, self._limits), size)

        return await asyncio.get_running_loop().run_in_executor(self._decoders, decoded)


async def _all(waiting: Sequence) -> list:
    """The results in their order. If one fails, the others are cancelled, and its error is raised."""
    tasks = [asyncio.ensure_future(one) for one in waiting]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()


def _scores(row: Tensor, classes: ClassNames, top: int | None) -> list[Score]:
    most = len(classes) if top is None else min(top, len(classes))
    shares, labels = (part.tolist() for part in row.topk(most))
    return [Score(name=classes.names[label], probability=share) for label, share in zip(labels, shares, strict=True)]
