"""The examples of the pages on the learner run, on pictures of circles and triangles."""

import re
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[2]


def examples(page: Path) -> list[str]:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "PromptLearner(" in block]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("circle", "triangle"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(12):
            image = Image.new("RGB", (64, 64), (255, 250 - number, 240))
            draw, left = ImageDraw.Draw(image), 6 + number
            if name == "circle":
                draw.ellipse((left, 12, left + 36, 48), fill=(200, 40 + number, 40))
            else:
                draw.polygon([(left, 50), (left + 36, 50), (left + 18, 12)], fill=(200, 40 + number, 40))
            image.save(tmp_path / "pictures" / name / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "docs/using.md"])
def test_examples_run(
    page: str, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = examples(ROOT / page)
    monkeypatch.chdir(pictures)
    monkeypatch.setenv("BMIP_CACHE", str(pictures / "cache"))
    exec(compile(code, page, "exec"), {"__name__": "__main__"})
    score, answers = capsys.readouterr().out.splitlines()[:2]
    assert 0 <= float(score) <= 1 and re.search(r"'(circle|triangle|square|cross|star)'", answers)
    assert (pictures / "my_prompts" / "prompts.json").exists()
