"""Numbers arrive in TensorBoard, Weights & Biases and MLflow, read back with their own libraries."""

import time
from pathlib import Path

import pytest

from bmip.experiments.listener import ProgressListener
from bmip.experiments.resources import Resources
from bmip.experiments.results import Results, Row
from bmip.experiments.runner import run_trials
from bmip.experiments.trial import Trial
from bmip.studies.trackers import tracker
from tests.experiments.conftest import backbone, photos
from tests.experiments.test_runner import resources, trials

__all__ = ["backbone", "photos", "resources", "trials"]


@pytest.fixture
def made(trials: list[Trial], resources: Resources, tmp_path: Path) -> tuple[Row, Path]:
    """The row of a training of three epochs, and the folder of its run."""
    (row,) = run_trials(
        trials[1:2], Results(tmp_path / "r"), runs=tmp_path / "runs", resources=resources, listener=ProgressListener()
    )
    return row, tmp_path / "runs" / row.trial.run.folder


def test_tensorboard(made: tuple[Row, Path], tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    row, run = made
    there = tracker("tensorboard", tmp_path, "a study")
    there.track(row, run)
    (folder,) = (tmp_path / "tensorboard").iterdir()
    found = accumulator.EventAccumulator(str(folder)).Reload()
    assert [event.step for event in found.Scalars("training/cross_entropy")] == [1, 2, 3]
    (event,) = found.Scalars("result/accuracy_base")
    assert event.value == pytest.approx(row.counts["base"].percent, rel=1e-6)


def test_weights_and_biases_offline(made: tuple[Row, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    there = tracker("wandb", tmp_path, "a study")
    there.track(*made)
    written_until_all_are_there(tmp_path / "wandb", b"training/cross_entropy", b"accuracy_novel")


def written_until_all_are_there(folder: Path, *parts: bytes) -> None:
    """Waits for the parts in the file of the one run in the folder: a process of W&B's own writes it."""
    limit = time.monotonic() + 60
    while True:
        files = list(folder.glob("offline-run-*/*.wandb"))
        missing = [part for part in parts if not any(part in file.read_bytes() for file in files)]
        if not missing:
            break
        assert time.monotonic() < limit, f"{files} have no {missing} after 60 s"
        time.sleep(0.1)
    assert len(files) == 1


@pytest.mark.filterwarnings("ignore")  # its own, about other libraries
def test_mlflow(made: tuple[Row, Path], tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    row, run = made
    there = tracker("mlflow", tmp_path, "a study")
    there.track(row, run)
    (found,) = mlflow.search_runs(experiment_names=["a study"], output_format="list")
    assert found.data.metrics["accuracy_base"] == pytest.approx(row.counts["base"].percent)
    assert found.data.params["method"] == "maple"
    history = mlflow.MlflowClient().get_metric_history(found.info.run_id, "cross_entropy")
    assert [one.step for one in history] == [1, 2, 3]


@pytest.mark.parametrize("name", ["wandb", "mlflow", "tensorboard"])
def test_a_library_that_is_missing_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ImportError, match=rf"{name} is not installed: pip install 'bmip\[{name}\]'"):
        tracker(name, tmp_path, "a study")
