"""One small study, carried out by the command, and its page."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bmip.cli import main
from tests.small import backbone_folder, photo_folder

PLAN = """
[study]
name = "colours & <shapes>"

[defaults]
data = "{photos}"
backbone = "{backbone}"
seeds = [1, 2]
training = {{ epochs = 2, batch = 4 }}

[[compare]]
protocols = ["base-to-novel"]
methods = [
  "zero-shot",
  {{ method = "maple", options = {{ depth = 2 }} }},
  {{ method = "bmip", options = {{ depth = 2 }}, label = "ours" }},
]
shots = 2

[[compare]]
protocols = ["base-to-novel"]
methods = [{{ method = "vpt", options = {{ depth = 2 }}, training = {{ lr = 1e30, warmup_lr = 1e30 }} }}]
shots = 2
seeds = 1

[[compare]]
protocols = ["few-shot"]
methods = ["zero-shot", {{ method = "bmip", options = {{ depth = 2 }} }}]
shots = [1, 2]
"""


@dataclass(frozen=True)
class Made:
    """A study's folder, with a page in it."""

    study: Path
    page: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    here = tmp_path_factory.mktemp("study")
    photos = photo_folder(here / "photos")
    (here / "plan.toml").write_text(PLAN.format(photos=photos, backbone=backbone_folder(here / "backbone")))
    study = here / "out"
    status = main(["study", str(here / "plan.toml"), "--out", str(study), "--threads", "1"])
    assert status == 1, "one training diverges"
    assert main(["report", str(study), "--html", str(study / "page")]) == 0
    return Made(study, study / "page")
