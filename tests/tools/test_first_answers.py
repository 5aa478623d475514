"""The tool that times README's way to first answers gives README's commands, on pictures of README's classes."""

from pathlib import Path

from PIL import Image

from tools.first_answers import ROOT, commands, draw


def test_it_gives_the_commands_of_the_readme() -> None:
    lines = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [line.split()[1] for line in lines] == ["train", "predict", "predict", "eval"]
    assert "circle,triangle,square" in lines[2]


def test_it_draws_twelve_different_pictures(tmp_path: Path) -> None:
    draw(tmp_path / "pictures")
    files = sorted((tmp_path / "pictures").glob("*/*.png"))
    assert [sum(file.parent.name == name for file in files) for name in ("circle", "triangle")] == [6, 6]
    assert len({Image.open(file).tobytes() for file in files}) == 12
