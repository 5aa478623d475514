"""A run folder serves one configuration and one process at a time."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bmip.evaluation.logits import LogitsError
from bmip.run_spec import RunSpec, settings
from bmip.testing import tiny_clip, tiny_dataset
from bmip.training.finite import TrainingError
from bmip.training.run import train
from bmip.training.run_folder import OtherRunError, RunFolder, RunFolderError, set_aside
from tests.training.tiny import OPTIONS


def test_another_configuration_is_named_field_by_field(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path, {"options": {"depth": 3}, "backbone": {"source": "here", "sha256": "1"}})
    folder.write_metrics([])
    with pytest.raises(OtherRunError, match=r"options\.depth: 3 and 2; options\.slots: null and 2: name another"):
        RunFolder(tmp_path, {"options": {"depth": 2, "slots": 2}, "backbone": {"source": "here", "sha256": "1"}})
    RunFolder(tmp_path, {"options": {"depth": 3}, "backbone": {"source": "elsewhere", "sha256": "1"}})
    with pytest.raises(OtherRunError, match=r"backbone\.sha256"):
        RunFolder(tmp_path, {"options": {"depth": 3}, "backbone": {"source": "here", "sha256": "2"}})


def test_an_attempt_that_saved_nothing_does_not_block_its_folder(tmp_path: Path) -> None:
    """A training that diverged, or was stopped, in its first epoch, and then other settings in the same folder."""
    wrong = RunSpec(method="ivlp", options=settings(OPTIONS["ivlp"]), training=settings(lr=1e30, epochs=1))
    with pytest.raises(TrainingError):
        train(wrong, tiny_clip(), tiny_dataset(), tmp_path)
    (tmp_path / "environment.json").write_text('[{"device": "another machine"}]')
    right = replace(wrong, training=settings(lr=0.01, epochs=1))
    trained = train(right, tiny_clip(), tiny_dataset(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["spec"]["training"] == {"lr": 0.01, "epochs": 1}
    assert "another machine" not in (tmp_path / "environment.json").read_text()
    assert torch.equal(
        trained.predictions.probability, train(right, tiny_clip(), tiny_dataset()).predictions.probability
    )
    with pytest.raises(OtherRunError):
        train(wrong, tiny_clip(), tiny_dataset(), tmp_path)


def test_an_attempt_that_failed_after_it_saved_does_not_block_its_folder(tmp_path: Path) -> None:
    """An infinite prompt is found at the evaluation after training, when state and checkpoint are written."""
    wrong = RunSpec(method="ivlp", options=settings(OPTIONS["ivlp"]), training=settings(lr=1e30, epochs=2))
    with pytest.raises((TrainingError, LogitsError)):
        train(wrong, tiny_clip(), tiny_dataset(), tmp_path)
    assert (tmp_path / "metrics.jsonl").exists()
    assert (tmp_path / "failed.txt").exists()
    right = replace(wrong, training=settings(lr=0.01, epochs=2))
    trained = train(right, tiny_clip(), tiny_dataset(), tmp_path)
    assert not (tmp_path / "failed.txt").exists()
    assert torch.equal(
        trained.predictions.probability, train(right, tiny_clip(), tiny_dataset()).predictions.probability
    )


def test_a_folder_that_is_set_aside_gets_a_free_name(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "config.json").write_text(str(number))
        aside = set_aside(folder)
        assert (aside.name, (aside / "config.json").read_text()) == (f"run.earlier-{number}", str(number))
        assert not folder.exists()


HOLDER = """
import sys
from pathlib import Path
from bmip.training.run_folder import alone_in

with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_in_which_another_trains_is_refused_and_left_alone(tmp_path: Path) -> None:
    config = RunSpec(method="ivlp", options=settings(OPTIONS["ivlp"]), training=settings(lr=0.01, epochs=1))
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        half_written = tmp_path / ".config.json-x.part"
        half_written.touch()
        with pytest.raises(RunFolderError, match=f"another bmip trains in {tmp_path}: give the command again"):
            train(config, tiny_clip(), tiny_dataset(), tmp_path)
        assert half_written.exists()
        other.send_signal(signal.SIGTERM)
    assert other.returncode != 0
    train(config, tiny_clip(), tiny_dataset(), tmp_path)
    assert not half_written.exists(), "a lock ends with its process"
