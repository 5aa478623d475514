"""Sharing prompts through a stand-in of the hub, in processes that know its address."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy.stats import binomtest

from bmip import PromptLearner
from bmip.class_names import ClassNames
from bmip.evaluation.calibration_files import read_calibration, write_calibration
from bmip.evaluation.unknown import Calibration, Threshold
from bmip.metrics import accuracy_interval
from tests.learner.conftest import labelled_paths, small
from tests.learner.hub import Hub, serving

PUSH = """
import sys
from bmip import PromptLearner
folder, backbone, data = sys.argv[1:]
learner = PromptLearner.from_pretrained(folder, backbone=backbone, device="cpu")
print(learner.push_to_hub("someone/pets", test=data, token="hf_secret", private=True))
"""
PULL = """
import sys
from bmip import PromptLearner
name, backbone, image = sys.argv[1:]
try:
    learner = PromptLearner.from_pretrained(name, backbone=backbone, device="cpu")
    print(learner.method, learner.predict_proba([image]).tolist())
except ValueError as error:
    print(error)
"""


TRAIN = """
from bmip import PromptLearner
learner = PromptLearner("coop", backbone="embedded", shots=1, epochs=1, warmup_epochs=0, device="cpu").fit("pictures/")
"""
PAGE = Path(__file__).parents[2] / "docs" / "using.md"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving() as found:
        yield found


def run(hub: Hub, home: Path, code: str, *arguments: str | Path) -> str:
    known = {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")} | known
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=environment, cwd=home, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_prompts_go_to_the_hub_and_come_back(hub: Hub, backbone: Path, drawn: Path, tmp_path: Path) -> None:
    paths, labels = labelled_paths(drawn)
    learner = small("bmip", backbone, epochs=2).fit(paths, labels)
    learner.save_pretrained(tmp_path / "prompts")
    chosen = Calibration(Threshold(0.25, "similarity"), 0.05, 20, None, 0)
    classes = ClassNames(("red", "blue"), "a drawing of a {}.")
    threshold = write_calibration(tmp_path / "prompts", chosen, "photos", classes).read_bytes()
    said = run(hub, tmp_path, PUSH, tmp_path / "prompts", backbone, drawn)
    assert said.strip() == f"{hub.address}/someone/pets" and hub.private == {"someone/pets"}
    assert "Bearer hf_secret" in hub.tokens and hub.unknown == []
    files = hub.repositories["someone/pets"]
    assert {"prompts.json", "prompts.safetensors", "README.md", "prompts.threshold.json"} <= files.keys()
    assert files["prompts.threshold.json"] == threshold
    for name in ("prompts.json", "prompts.safetensors", "prompts.threshold.json"):
        (tmp_path / name).write_bytes(files[name])
    found, names = read_calibration(tmp_path)
    assert (found, names.names, names.template) == (chosen, classes.names, classes.template)
    assert not any(str(tmp_path).encode() in content or str(backbone).encode() in content for content in files.values())

    found = run(hub, tmp_path, PULL, "someone/pets", backbone, paths[0])
    method, _, shares = found.partition(" ")
    assert method == "bmip" and json.loads(shares)[0] == pytest.approx(learner.predict_proba(paths[:1])[0].tolist())
    assert "nor a repository of this name on the hub" in run(hub, tmp_path, PULL, "someone/none", backbone, paths[0])
    hub.repositories["someone/pets"].clear()
    again = run(hub, tmp_path, PULL, "someone/pets", backbone, paths[0])
    assert "there is no checkpoint" in again, "what the hub has counts, not what it had"


def test_the_lines_of_the_page(hub: Hub, drawn: Path, tmp_path: Path) -> None:
    (share,) = re.findall(r"^```python\n(learner\.push_to_hub.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shutil.copytree(drawn, tmp_path / "pictures")
    (tmp_path / "token").write_text("hf_stored")  # where `hf auth login` leaves it
    run(hub, tmp_path, TRAIN + share)
    assert (
        "Bearer hf_stored" in hub.tokens
        and "| test images of pictures | 4 |" in hub.repositories["someone/pets"]["README.md"].decode()
    )


def test_the_card_says_everything(hub: Hub, backbone: Path, drawn: Path, tmp_path: Path) -> None:
    learner = small("maple", backbone, seed=3, init_seed=4).fit(*labelled_paths(drawn))
    learner.save_pretrained(tmp_path / "prompts")
    run(hub, tmp_path, PUSH, tmp_path / "prompts", backbone, drawn)
    card = hub.repositories["someone/pets"]["README.md"].decode()
    description = learner.model_.described()
    numbers = sum(tensor.numel() for tensor in learner.model_.trainable().values())
    score = learner.score(drawn)
    low, high = accuracy_interval(round(score * 40), 40)
    for part in (
        "library_name: bmip",
        "pipeline_tag: zero-shot-image-classification",
        "maple, preset default",
        description.backbone_hash,
        description.split_hash,
        "2 shots of each class",
        "| seed of the draw, the order and the augmentation | 3 |",
        "| seed of the first prompts | 4 |",
        "depth = 3",
        "batch = 4",
        f"{numbers:,} trained numbers",
        f"| test images of photos | 4 | 40 | {100 * score:.1f} ({low:.1f} to {high:.1f}) |",
        'PromptLearner.from_pretrained("someone/pets")',
        "bmip predict someone/pets photo.jpg",
        "blue, green, grey, red",
    ):
        assert part in card, part
    assert re.match(r"---\n(?:.*\n)+?---\n\n# pets\n", card)


@pytest.mark.parametrize(("correct", "total"), [(0, 7), (3, 4), (20, 40), (599, 600), (5, 5)])
def test_intervals_are_scipys(correct: int, total: int) -> None:
    gold = binomtest(correct, total).proportion_ci(method="wilson")
    assert accuracy_interval(correct, total) == pytest.approx((100 * gold.low, 100 * gold.high))


def test_a_path_is_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    with pytest.raises(ValueError, match=r"there is no checkpoint runs/pets"):
        PromptLearner.from_pretrained("runs/pets")
