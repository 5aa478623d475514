"""Configuration files that were damaged are refused with a sentence."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bmip.clip.loading.load import load_clip, save_clip
from tests.clip.loading.tiny_checkpoints import open_clip_folder, random_clip, transformers_folder

IN_THEIR_PLACE: tuple[Any, ...] = (None, "x", 0, -1, 2.5, True, 10**9, [], [1, 2], {}, {"a": 1})
PROCESSOR = {
    "do_resize": True,
    "size": {"shortest_edge": 32},
    "crop_size": {"height": 32, "width": 32},
    "resample": 3,
    "rescale_factor": 1 / 255,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.3, 0.4],
}


def places(content: Any, before: tuple = ()) -> Iterator[tuple]:
    """The place of every value, but not of single tokens and merges."""
    if isinstance(content, dict) and before[-1:] != ("vocab",):
        for key, value in content.items():
            yield (*before, key)
            yield from places(value, (*before, key))


def replaced(content: Any, place: tuple, value: Any) -> Any:
    content = copy.deepcopy(content)
    inside = content
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value
    return content


@pytest.fixture(params=["transformers", "open_clip", "bmip"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "open_clip":
        return open_clip_folder(random_clip(), tmp_path / "clip")
    folder = transformers_folder(random_clip(), tmp_path / "clip")
    if request.param == "transformers":
        (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
        return folder
    save_clip(load_clip(folder), tmp_path / "own")
    return tmp_path / "own"


def test_no_value_of_a_file_leads_to_another_error(folder: Path) -> None:
    tried = 0
    files = [file for file in sorted(folder.glob("*.json")) if file.name != "tokenizer_config.json"]
    for file in files:
        text = file.read_text()
        content = json.loads(text)
        for place in places(content):
            for value in IN_THEIR_PLACE:
                file.write_text(json.dumps(replaced(content, place, value)))
                try:
                    load_clip(folder)
                except (ValueError, FileNotFoundError) as error:
                    assert len(str(error)) > 20
                except Exception as error:
                    raise AssertionError(f"{file.name}: {place} = {value!r}") from error
                tried += 1
        file.write_text(text)
    assert tried > 100
    load_clip(folder)
