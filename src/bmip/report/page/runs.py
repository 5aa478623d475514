"""What the folders of runs hold about the rows of a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bmip.evaluation.evaluate import Predictions
from bmip.evaluation.gauges import Reading
from bmip.evaluation.prediction_files import read_predictions
from bmip.experiments.execute import predictions_file
from bmip.experiments.results import Row
from bmip.training.history import EpochMetrics, epochs_of
from bmip.training.run_folder import GAUGES


class Runs:
    """Finds and reads the files of runs. What is missing is None or empty; what is damaged counts as missing.

    Args:
        folders: below which the runs may have their folders.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)

    def history(self, row: Row) -> tuple[EpochMetrics, ...]:
        """The epochs of the training."""
        file = self._file(row, "metrics.jsonl")
        if file is None:
            return ()
        try:
            return epochs_of(map(json.loads, file.read_text(encoding="utf-8").splitlines()))
        except (ValueError, TypeError):
            return ()

    def gauges(self, row: Row) -> list[Reading]:
        """What the gauges of the run's prompts showed."""
        file = self._file(row, GAUGES)
        if file is None:
            return []
        try:
            return [Reading(**one) for one in json.loads(file.read_text(encoding="utf-8"))]
        except (ValueError, TypeError):
            return []

    def predictions(self, row: Row, part: str) -> Predictions | None:
        """The predictions for a part, if their numbers are those of the row."""
        for folder in self._folders:
            file = folder / predictions_file(row.trial, part)
            if file.exists():
                try:
                    found = read_predictions(file)
                except ValueError:
                    continue
                if (found.correct, found.total) == row.counts.get(part):
                    return found
        return None

    def places(self, row: Row) -> Mapping[str, str]:
        """Where data and class names lay in training, as `RunSpec.places` gave them."""
        file = self._file(row, "config.json")
        return {} if file is None else _config(file.parent).get("places", {})

    def _file(self, row: Row, name: str) -> Path | None:
        """A file of the run that the row was made with: the backbone must be the same."""
        for folder in self._folders:
            place = folder / row.trial.run.folder
            if (place / name).exists() and _config(place).get("backbone", {}).get("sha256") == row.backbone:
                return place / name
        return None


def _config(place: Path) -> Mapping[str, Any]:
    try:
        found = json.loads((place / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
