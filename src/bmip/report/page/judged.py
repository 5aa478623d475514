"""The answers of one line of a table for every image of a part, summed over seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bmip.evaluation.evaluate import Predictions
from bmip.experiments.results import Row
from bmip.metrics import confusion_matrix
from bmip.report.page.runs import Runs
from bmip.report.places import Place
from bmip.report.table_data import TableData

BINS = 10
"""Bins of probability, of equal width."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Sums over the runs of one line on one part of a data set."""

    place: Place
    part: str
    label: str
    """The name of the line."""

    trained: bool
    names: tuple[str, ...]
    confusion: Int[np.ndarray, "truth answer"]
    bins: Float[np.ndarray, "bin 3"]
    """For each bin of probability: images, the sum of their probabilities, and how many are right."""

    runs: int

    @property
    def per_class(self) -> Float[np.ndarray, " truth"]:
        """The accuracy of each class in percent; NaN for a class without images."""
        totals = self.confusion.sum(axis=1)
        with np.errstate(invalid="ignore"):
            return 100 * self.confusion.diagonal() / totals

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of all images of all runs, in percent, over these bins."""
        images, probability, right = self.bins.T
        return float(100 * np.abs(right - probability).sum() / images.sum())


def most_shots(data: TableData) -> int | None:
    """The most training images of each class in the table, 0 for all; None where it has one number of them."""
    if not data.layout.shots_in_columns:
        return None
    return max((one.row.trial.run.shots for one in data.rows), key=lambda shots: (shots == 0, shots))


def with_most_shots(data: TableData, rows: Sequence[Row]) -> Sequence[Row]:
    """Those of the rows with the most training images in the table, where it has several numbers of them."""
    most = most_shots(data)
    return rows if most is None else [row for row in rows if row.trial.run.shots == most]


def judged(data: TableData, runs: Runs) -> Iterator[Judged]:
    """What is kept of the lines of a table, for each data set, part and line in turn; with the most shots only."""
    for place in data.places:
        for part in dict.fromkeys(part for one in data.rows for part in one.row.counts):
            for one, label in data.labels.items():
                rows = with_most_shots(data, data.cells.get((place, one), ()))
                found = _summed(rows, part, runs)
                if found is not None:
                    yield Judged(place, part, label, rows[0].trainable > 0, *found)


def _summed(rows: Sequence[Row], part: str, runs: Runs) -> tuple | None:
    confusion, bins, names, count = np.zeros((0, 0), dtype=np.int64), np.zeros((BINS, 3)), dict[int, str](), 0
    for row in rows:
        found = runs.predictions(row, part)
        if found is None:
            continue
        size = max(len(found.classes), len(confusion))
        confusion = np.pad(confusion, (0, size - len(confusion)))
        confusion += confusion_matrix(found.labels.numpy(), found.predicted.numpy(), size)
        bins += _binned(found)
        names |= {label: found.classes.names[label] for label in {*found.labels.tolist(), *found.predicted.tolist()}}
        count += 1
    if not count:
        return None
    return tuple(names.get(label, f"class {label}") for label in range(len(confusion))), confusion, bins, count


def _binned(found: Predictions) -> Float[np.ndarray, "bin 3"]:
    probability = found.probability.double().numpy()
    right = (found.labels == found.predicted).numpy()
    place = np.clip(np.ceil(probability * BINS).astype(int) - 1, 0, BINS - 1)
    columns = [
        np.bincount(place, weights=weights, minlength=BINS) for weights in (np.ones(len(place)), probability, right)
    ]
    return np.stack(columns, axis=1)
