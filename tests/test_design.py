"""docs/design.md names only what exists, and its map has every folder."""

import importlib
import re
from pathlib import Path

import pytest

from tests.test_layout import FLOOR, MODULES, PACKAGE

ROOT = PACKAGE.parents[1]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
MAP = PAGE.partition("```\n")[2].partition("```")[0]
WORDS = {
    word
    for file in (*MODULES.values(), Path(__file__).with_name("test_layout.py"))
    for word in re.findall(r"\w+", file.read_text(encoding="utf-8"))
}
QUOTED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE.replace("```", ""))))


@pytest.mark.parametrize("name", [name for name in QUOTED if re.fullmatch(r"[\w.]+/[\w./]*|\w+\.(py|json|toml)", name)])
def test_paths_exist(name: str) -> None:
    assert (ROOT / name).exists() or (PACKAGE / name).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\bbmip\.[a-z_]+(?:\.[a-z_]+)*", PAGE))))
def test_modules_exist(name: str) -> None:
    importlib.import_module(name)


@pytest.mark.parametrize("name", [name for name in QUOTED if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", name)])
def test_names_occur_in_the_code(name: str) -> None:
    for part in name.removesuffix(".py").split("."):
        assert part in WORDS


def test_the_map_has_every_folder() -> None:
    folders = {file.parent.relative_to(PACKAGE).as_posix() + "/" for file in MODULES.values()} - {"./"}
    assert folders <= mapped().keys()


def test_the_map_has_the_layers_of_the_test_of_imports() -> None:
    floors = {_written(room): floor for room, floor in FLOOR.items()}
    assert {place: layer - 1 for place, layer in mapped().items() if place in floors} == floors


def mapped() -> dict[str, int]:
    """The layer of each folder and file on the map; a line without a number belongs to the layer above it."""
    found, layer = {}, 0
    for number, place in re.findall(r"^ *(\d*) +([\w./]+) ", MAP, re.MULTILINE):
        layer = int(number or layer)
        found[place] = layer
    return found


def _written(room: str) -> str:
    path = room.replace(".", "/")
    return f"{path}/" if (PACKAGE / path).is_dir() else f"{path}.py"
