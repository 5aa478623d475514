"""Predictions as files: a line for each image."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from bmip.class_names import ClassNames
from bmip.evaluation.evaluate import Predictions
from bmip.system.files import write_text

COLUMNS = ("image", "label", "predicted", "probability", "label_name", "predicted_name", "rank")


def write_predictions(file: Path, predictions: Predictions) -> None:
    """Writes a CSV file; labels are indices into the class names, which stand beside them as words."""
    words = predictions.classes.names
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(COLUMNS)
    columns = (predictions.labels, predictions.predicted, predictions.probability, predictions.rank)
    for image, label, predicted, probability, rank in zip(
        predictions.images, *(column.tolist() for column in columns), strict=True
    ):
        writer.writerow((image, label, predicted, probability, words[label], words[predicted], rank))
    write_text(file, text.getvalue())


def read_predictions(file: Path, classes: ClassNames | None = None) -> Predictions:
    """The predictions that `write_predictions` wrote.

    Without `classes` their names are those in the file; a class that is nowhere in it is called "class 7", say.
    Raises FileNotFoundError, and ValueError for a file that is damaged.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return Predictions(
            classes or _named_in(rows),
            tuple(row["image"] for row in rows),
            torch.tensor([int(row["label"]) for row in rows]),
            torch.tensor([int(row["predicted"]) for row in rows]),
            torch.tensor([float(row["probability"]) for row in rows]),
            torch.tensor([int(row["rank"]) for row in rows]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is damaged ({error}): delete it to have it made again") from error


def _named_in(rows: Sequence[Mapping[str, str]]) -> ClassNames:
    pairs = ("label", "label_name"), ("predicted", "predicted_name")
    names = {int(row[index]): row[name] for row in rows for index, name in pairs}
    return ClassNames(
        tuple(names.get(index, f"class {index}") for index in range(max(names, default=0) + 1)), duplicates=True
    )
