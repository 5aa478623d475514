"""A run folder serves one process at a time; one that is older than a setting was run with the setting's default."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bmip.training.config import TrainConfig
from bmip.training.run import RunConfig, train
from bmip.training.run_folder import RunFolder, RunFolderError
from tests.training.tiny import OPTIONS, tiny_clip, tiny_dataset


def test_settings_that_came_later_count_with_their_defaults(tmp_path: Path) -> None:
    config = RunConfig(method="ivlp", options=OPTIONS["ivlp"], training=TrainConfig(lr=0.01, epochs=1))
    first = train(config, tiny_clip(), tiny_dataset(), tmp_path)
    file = tmp_path / "config.json"
    written = json.loads(file.read_text())
    assert written["training"].pop("momentum") == TrainConfig().momentum
    assert written["options"].pop("text_slots") == 2
    file.write_text(json.dumps(written))
    ticks = []
    again = train(config, tiny_clip(), tiny_dataset(), tmp_path, progress=ticks.append)
    assert not ticks and again.predictions.correct == first.predictions.correct
    other = RunConfig(method="ivlp", options={**OPTIONS["ivlp"], "text_slots": 3}, training=config.training)
    with pytest.raises(RunFolderError, match=r"options\.text_slots: 2 and 3"):
        train(other, tiny_clip(), tiny_dataset(), tmp_path)


def test_what_has_no_default_is_a_difference(tmp_path: Path) -> None:
    RunFolder(tmp_path, {"options": {"depth": 3}})
    RunFolder(tmp_path, {"options": {"depth": 3, "slots": 2}}, defaults={"options": {"slots": 2}})
    with pytest.raises(RunFolderError, match=r"options\.slots: 4 and 2"):
        RunFolder(tmp_path, {"options": {"depth": 3, "slots": 2}}, defaults={"options": {"slots": 4}})
    with pytest.raises(RunFolderError, match=r"options\.slots: null and 2"):
        RunFolder(tmp_path, {"options": {"depth": 3, "slots": 2}})


HOLDER = """
import sys
from pathlib import Path
from bmip.training.run_folder import alone_in

with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_in_which_another_trains_is_refused_and_left_alone(tmp_path: Path) -> None:
    config = RunConfig(method="ivlp", options=OPTIONS["ivlp"], training=TrainConfig(lr=0.01, epochs=1))
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
