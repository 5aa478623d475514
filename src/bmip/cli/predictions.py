"""Predictions on stdout, as they come: as tables, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from bmip.cli.console import out
from bmip.cli.tables import predictions_table
from bmip.evaluation.predict import Prediction
from bmip.evaluation.unknown import Threshold

PAGE = 100
"""Images in one table; more get another table."""


def write(found: Iterable[Prediction], format: str, *, top: int, threshold: Threshold | None) -> None:
    """Writes each prediction as soon as it is there. With a threshold it also says which images are unknown.

    Args:
        found: the predictions, each with `top` guesses.
        format: "table", "jsonl" or "csv".
        top: the number of guesses.
        threshold: below it an image is unknown.
    """
    _WRITERS[format](found, top, threshold)


def _tables(found: Iterable[Prediction], top: int, threshold: Threshold | None) -> None:
    each = iter(found)
    while page := list(islice(each, PAGE)):
        out().print(predictions_table(page, threshold=threshold))


def _json_lines(found: Iterable[Prediction], top: int, threshold: Threshold | None) -> None:
    for prediction in found:
        mark = {} if threshold is None else {"unknown": threshold.unknown(prediction)}
        print(_as_json({**asdict(prediction), **mark}), flush=True)


def _as_json(said: Mapping[str, Any]) -> str:
    """One line; with escapes where the terminal or the file has not all its letters."""
    text = json.dumps(said, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(said)
    return text


def _csv(found: Iterable[Prediction], top: int, threshold: Threshold | None) -> None:
    """One line for each image; `class` is the most probable class, `class_2` the second."""
    columns = [f"{name}_{place}" if place else name for place in _places(top) for name in ("class", "probability")]
    marked = [] if threshold is None else ["unknown"]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", *columns, "similarity", *marked])
    for prediction in found:
        guesses = [part for guess in prediction.guesses for part in (guess.name, guess.probability)]
        mark = [] if threshold is None else [str(threshold.unknown(prediction)).lower()]
        writer.writerow([prediction.image, *guesses, prediction.similarity, *mark])
        sys.stdout.flush()


def _places(top: int) -> Iterator[int]:
    return (place if place > 1 else 0 for place in range(1, top + 1))


_WRITERS: Mapping[str, Callable[[Iterable[Prediction], int, Threshold | None], None]] = {
    "table": _tables,
    "jsonl": _json_lines,
    "csv": _csv,
}
