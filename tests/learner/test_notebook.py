"""examples/first_prompts.ipynb runs from an empty folder, and shows its pictures to those who only read it."""

import json
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first_prompts.ipynb"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BMIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(len(plt.gcf().axes)))
    found: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells):
        drawn = len(shown)
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), found)
        kept = [output for output in cell["outputs"] if "image/png" in output.get("data", {})]
        assert len(kept) == len(shown) - drawn, "store the notebook with its pictures"
    plt.close("all")

    assert shown == [12, 9]
    assert [len(list((tmp_path / "pictures" / name).glob("*.png"))) for name in ("fox", "owl")] == [6, 6]
    assert list(found["answers"][-3:]) == ["elephant"] * 3, "drawings that the embedded CLIP knows well"
    assert (tmp_path / "my_prompts" / "prompts.json").exists()
    assert capsys.readouterr().out.splitlines()[-1] == "True"
