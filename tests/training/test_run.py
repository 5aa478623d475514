import csv
import dataclasses
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bmip.class_names import ClassNames
from bmip.evaluation.evaluate import evaluate
from bmip.run_spec import RunSpec, settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.checkpoint import from_pretrained
from bmip.training.config import train_config
from bmip.training.finite import TrainingError
from bmip.training.optimizer import Optimizer
from bmip.training.progress import Tick
from bmip.training.run import train
from bmip.training.run_folder import RunFolder, RunFolderError, read_metrics
from tests.training import killed
from tests.training.tiny import OPTIONS

DATA = tiny_dataset()
CONFIG = RunSpec(
    method="ivlp",
    options=settings(OPTIONS["ivlp"]),
    training=settings(lr=0.01, epochs=2),
    data_seed=3,
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.parametrize("kind", killed.KINDS)
def test_a_killed_run_ends_as_one_that_was_not(kind: str, tmp_path: Path) -> None:
    """Byte for byte: prompts, predictions, metrics; nothing is left lying about."""
    command = [sys.executable, "-m", "tests.training.killed", str(tmp_path), kind]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    whole = found.pop("whole")
    files = {"config.json", "metrics.jsonl", "predictions.csv", "prompts.json", "prompts.safetensors"}
    gauges = {"gauges.json"} if kind == "every file" else set()
    assert set(whole) == files | gauges | {".lock"}
    assert len(found) == {"every file": 12, "any step": 1}[kind]
    assert all(digests == whole for digests in found.values())


def test_steps_for_each_shot_are_counted_and_the_rate_falls_in_each(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    step = Optimizer.step
    monkeypatch.setattr(Optimizer, "step", lambda self, lr: rates.append(lr) or step(self, lr))
    asked = settings(lr=0.01, steps_per_shot=4, warmup_epochs=0, batch=4, schedule="step", final_lr=1e-4)
    shots = len(DATA.train) // len(DATA.classes)
    run = train(replace(CONFIG, training=asked, shots=shots), tiny_clip(), DATA)
    assert len(rates) == 4 * shots == len(run.history.epochs) * (len(DATA.train) // 4)
    assert rates == sorted(rates, reverse=True) and len(set(rates)) == len(rates) and rates[0] == 0.01
    assert run.model.described().training["epochs"] == len(run.history.epochs)
    again = train(replace(CONFIG, training=asked, shots=0), tiny_clip(), DATA)
    assert len(again.history.epochs) == len(run.history.epochs), "all images: as many shots as there are in the mean"


def test_a_run_folder_tells_everything(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    run = train(CONFIG, tiny_clip(), DATA, folder, validate=True)
    files = {".lock", "config.json", "environment.json", "metrics.jsonl", "predictions.csv", "prompts.json"}
    assert {file.name for file in folder.iterdir()} == files | {"prompts.safetensors"}
    config = json.loads((folder / "config.json").read_text())
    assert config["spec"]["method"] == "ivlp" and config["options"]["text_slots"] == 2
    assert config["spec"] == CONFIG.to_json() and config["data"] == "colours"
    assert config["training"] == dataclasses.asdict(train_config(dict(CONFIG.training)))
    assert config["data"] == "colours" and len(config["split_hash"]) == 64
    (environment,) = json.loads((folder / "environment.json").read_text())
    assert environment["torch"] == torch.__version__ and environment["threads"] == torch.get_num_threads()
    assert {"python", "bmip", "commit", "dirty", "device"} <= environment.keys()
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert set(rows[0]) == {"epoch", "lr", "losses", "train_accuracy", "val_accuracy", "seconds"}
    head, *lines = csv.reader((folder / "predictions.csv").read_text().splitlines())
    assert head == ["image", "label", "predicted", "probability", "label_name", "predicted_name", "rank"]
    assert len(lines) == len(DATA.test)
    assert lines[0][:2] == ["colours/test/0", "0"] and lines[5][4] == "green"
    loaded = from_pretrained(folder, tiny_clip())
    assert torch.equal(evaluate(loaded, DATA.test, DATA.classes).probability, run.predictions.probability)


@pytest.mark.parametrize("method", ["ivlp", "zero_shot"])
def test_a_finished_run_is_not_run_again(method: str, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, method=method, options=settings(OPTIONS[method]))
    first = train(config, tiny_clip(), DATA, tmp_path)
    before = {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in tmp_path.iterdir()}
    ticks: list[Tick] = []
    again = train(config, tiny_clip(), DATA, tmp_path, progress=ticks.append)
    assert not ticks
    assert {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in tmp_path.iterdir()} == before
    assert again.history == first.history
    for name in ("labels", "predicted", "probability"):
        assert torch.equal(getattr(again.predictions, name), getattr(first.predictions, name))
    assert again.predictions.images == first.predictions.images
    assert all(torch.equal(t, first.model.trainable()[name]) for name, t in again.model.trainable().items())


def test_a_run_knows_how_long_others_have_trained_it(tmp_path: Path) -> None:
    def stopped(tick: Tick) -> None:
        if tick.epoch == 2:
            raise KeyboardInterrupt

    assert train(CONFIG, tiny_clip(), DATA).earlier == 0
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, tiny_clip(), DATA, tmp_path, progress=stopped)
    folder = RunFolder(tmp_path, json.loads((tmp_path / "config.json").read_text()))
    saved = folder.read_state()
    assert saved is not None
    saved.facts["epochs"][0]["seconds"] = 1000.0
    folder.write_state(saved)
    resumed = train(CONFIG, tiny_clip(), DATA, tmp_path)
    assert resumed.evaluation > 0
    first, second = resumed.history.epochs
    assert first.seconds == 1000 and 0 < resumed.earlier <= 1000
    again = train(CONFIG, tiny_clip(), DATA, tmp_path)
    assert again.earlier == pytest.approx(first.seconds + second.seconds)
    assert again.evaluation == 0, "predictions are read"


def test_with_and_without_a_folder_is_the_same(tmp_path: Path) -> None:
    one, other = train(CONFIG, tiny_clip(), DATA), train(CONFIG, tiny_clip(), DATA, tmp_path)
    assert torch.equal(one.predictions.probability, other.predictions.probability)


def test_a_folder_serves_one_configuration(tmp_path: Path) -> None:
    train(CONFIG, tiny_clip(), DATA, tmp_path, validate=True)
    other = dataclasses.replace(CONFIG, init_seed=2, training=settings(lr=0.02, epochs=2))
    with pytest.raises(
        RunFolderError,
        match=r"holds another run.*spec.init_seed: 1 and 2; spec.training.lr: 0.01 and",
    ):
        train(other, tiny_clip(), DATA, tmp_path)
    fewer = dataclasses.replace(DATA, train=DATA.train.take(range(12)))
    with pytest.raises(RunFolderError, match="split_hash"):
        train(CONFIG, tiny_clip(), fewer, tmp_path)
    named = dataclasses.replace(DATA, classes=ClassNames(("red", "green", "blue", "gray")))
    with pytest.raises(RunFolderError, match=r"classes.names.*gray"):
        train(CONFIG, tiny_clip(), named, tmp_path)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(RunFolderError, match=r"is no run folder and holds thesis.tex"):
        train(CONFIG, tiny_clip(), DATA, tmp_path, validate=True)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_training_that_failed_leaves_nothing_that_looks_good(tmp_path: Path) -> None:
    wild = dataclasses.replace(CONFIG, training=settings(lr=1e30, warmup_lr=1e30, epochs=2))
    with pytest.raises(TrainingError):
        train(wild, tiny_clip(), DATA, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {".lock", "config.json", "environment.json", "failed.txt"}


def test_damaged_files_are_named(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {"method": "ivlp"})
    for name, read in (
        ("state.safetensors", run.read_state),
        ("metrics.jsonl", lambda: read_metrics(run.path)),
        ("predictions.csv", lambda: run.read_predictions(DATA.classes)),
        ("environment.json", lambda: RunFolder(tmp_path, {"method": "ivlp"})),
        ("config.json", lambda: RunFolder(tmp_path, {"method": "ivlp"})),
    ):
        (tmp_path / name).write_text("image\n{")
        with pytest.raises(RunFolderError, match=f"{name} is damaged"):
            read()


def test_selection_by_the_test_split_is_refused() -> None:
    config = dataclasses.replace(CONFIG, training=settings(selection="best-val"))
    with pytest.raises(ValueError, match="validated on its test split"):
        train(config, tiny_clip(), tiny_dataset(val_is_test=True))


def test_a_method_from_outside_runs_by_its_dotted_path(tmp_path: Path) -> None:
    config = RunSpec(method="tests.training.regularised", training=settings(epochs=1))
    run = train(config, tiny_clip(), DATA, tmp_path)
    assert run.history.kept is None
    assert from_pretrained(tmp_path, tiny_clip()).trainable().keys() == run.model.trainable().keys()
