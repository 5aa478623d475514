from pathlib import Path
from typing import Any

import pytest

from bmip import PromptLearner
from bmip.clip.loading.load import save_clip
from bmip.clip.tokenizer import Tokenizer
from bmip.experiments.method_facts import method_facts
from bmip.testing import tiny_clip
from tests.small import photo_folder

LAYERS = 3


@pytest.fixture(scope="session")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of three layers that every method fits."""
    folder = tmp_path_factory.mktemp("backbone")
    save_clip(tiny_clip(tokenizer=Tokenizer.default(), context=40), folder)
    return folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("drawn") / "photos")


def small(method: str, backbone: Path, **arguments: Any) -> PromptLearner:
    """A learner that trains in a second."""
    names = [option.name for option in method_facts(method).options]
    shallow = {name: LAYERS for name in names if name.endswith("depth")} | {
        name: 1 for name in names if name.endswith("top")
    }
    given = {"shots": 2, "epochs": 1, "warmup_epochs": 0, "batch": 4, "device": "cpu", **arguments}
    return PromptLearner(method, backbone=backbone, options={**shallow, **given.pop("options", {})}, **given)


def labelled_paths(folder: Path) -> tuple[list[str], list[str]]:
    """The photos and the names of their classes."""
    files = sorted(folder.glob("*/*.png"))
    return [str(file) for file in files], [file.parent.name for file in files]
