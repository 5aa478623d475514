"""Sends the numbers of a study to TensorBoard, Weights & Biases or MLflow, through their own libraries.

Each trial is one run there: its settings, its scores, and the losses of its epochs. Nothing leaves the machine:
everything lies in the study's folder.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from bmip.experiments.results import Row
from bmip.training.history import epochs_of


@runtime_checkable
class Tracker(Protocol):
    """Receives the row of each trial that was made."""

    def track(self, row: Row, run: Path, /) -> None:
        """A trial has its row; `run` is the folder of its run, if it was trained."""
        ...


def tracker(name: str, folder: Path, study: str) -> Tracker:
    """The tracker of this name, which writes below `folder`.

    Raises ImportError, which says what to install, where its library is missing.
    """
    return {"tensorboard": TensorBoard, "wandb": WeightsAndBiases, "mlflow": MLflow}[name](folder, study)


def _library(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{package} is not installed: pip install 'bmip[{package}]'") from error


def _name(row: Row) -> str:
    run = row.trial.run
    parts = (row.trial.protocol, run.method_name, row.trial.place, f"{run.shots}-shots", f"seed-{run.data_seed}")
    return "_".join(part.replace("/", "-") for part in (*parts, run.hash()))


def _settings(row: Row) -> dict[str, Any]:
    run = row.trial.run
    known = {"protocol": row.trial.protocol, "method": run.method_name, "data": run.data, "target": row.trial.target}
    seeds = {"shots": run.shots, "data_seed": run.data_seed, "init_seed": run.init_seed, "backbone": run.backbone}
    return {**known, **seeds, "preset": run.preset, **dict(run.options), **dict(run.training)}


def _scores(row: Row) -> dict[str, float]:
    found = {f"accuracy_{name}": count.percent for name, count in row.counts.items() if count.total}
    return {**found, **row.scores, "trainable": row.trainable}


def _curve(run: Path) -> list[tuple[int, dict[str, float]]]:
    """The number of each epoch with its losses and accuracies."""
    file, found = run / "metrics.jsonl", []
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for epoch in epochs_of(map(json.loads, lines)):
        accuracies = {"train_accuracy": epoch.train_accuracy, "val_accuracy": epoch.val_accuracy}
        known = {name: value for name, value in accuracies.items() if value is not None}
        found.append((epoch.epoch, {**epoch.losses, **epoch.guides, **known}))
    return found


class TensorBoard:
    """Event files in tensorboard/: `tensorboard --logdir`."""

    def __init__(self, folder: Path, study: str) -> None:
        _library("tensorboard", "tensorboard")
        self._writer = import_module("torch.utils.tensorboard").SummaryWriter
        self._folder = folder / "tensorboard"

    def track(self, row: Row, run: Path) -> None:
        writer = self._writer(self._folder / _name(row))
        for epoch, values in _curve(run):
            for name, value in values.items():
                writer.add_scalar(f"training/{name}", value, epoch)
        scores = {f"result/{name}": value for name, value in _scores(row).items()}
        writer.add_hparams(_settings(row), scores, run_name=".")
        writer.close()


class WeightsAndBiases:
    """Offline runs in wandb/: `wandb sync` uploads them."""

    def __init__(self, folder: Path, study: str) -> None:
        self._wandb, self._folder, self._study = _library("wandb", "wandb"), folder, study

    def track(self, row: Row, run: Path) -> None:
        with self._wandb.init(
            mode="offline", dir=self._folder, project=self._study, name=_name(row), config=_settings(row)
        ) as there:
            for epoch, values in _curve(run):
                there.log({f"training/{name}": value for name, value in values.items()}, step=epoch)
            there.summary.update(_scores(row))


class MLflow:
    """A local store in mlflow.db: `mlflow ui --backend-store-uri sqlite:///mlflow.db`."""

    def __init__(self, folder: Path, study: str) -> None:
        self._mlflow = _library("mlflow", "mlflow")
        self._mlflow.set_tracking_uri(f"sqlite:///{folder.resolve() / 'mlflow.db'}")
        self._mlflow.set_experiment(study)

    def track(self, row: Row, run: Path) -> None:
        with self._mlflow.start_run(run_name=_name(row)):
            self._mlflow.log_params(_settings(row))
            for epoch, values in _curve(run):
                self._mlflow.log_metrics(values, step=epoch)
            self._mlflow.log_metrics(_scores(row))
