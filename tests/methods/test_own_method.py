"""The method from outside the package that docs/adding-a-method.md shows, and what a MethodSpec refuses."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from bmip.class_names import ClassNames
from bmip.methods import build_model, combination_names, load_method, method_names
from bmip.prompting import MethodSpec, Preset
from bmip.prompting.checkpoint import CheckpointError
from bmip.system.method_name import check_written
from bmip.testing import tiny_clip
from bmip.training.checkpoint import from_pretrained

ROOT = Path(__file__).parents[2]
ALL = (*method_names(), *combination_names())


def test_the_page_s_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "adding-a-method.md").read_text(encoding="utf-8")
    method, *uses = map(textwrap.dedent, re.findall(r"^ *```python\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL))
    (tmp_path / "shallow_text.py").write_text(method, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found: dict[str, Any] = {}
    for use in uses:
        exec(use, found)
    del sys.modules["shallow_text"]
    assert found["METHOD"].name == "shallow_text" and "check_method" in found and "test_shallow_text" in found
    example = (ROOT / "examples" / "shallow_text.py").read_text(encoding="utf-8")
    assert example.endswith(method), "copy the example, from its first import on, into the page"


@pytest.mark.parametrize("name", ALL)
def test_a_method_is_called_as_it_is_asked_for(name: str) -> None:
    assert load_method(name).name == name
    assert "\n" not in load_method(name).summary and load_method(name).summary.endswith((".", ".)", ")"))


def test_methods_add_up() -> None:
    bmip, promptsrc = load_method("bmip"), load_method("promptsrc")
    both = bmip + promptsrc
    assert both.name == "bmip+promptsrc"
    names = {field.name for field in fields(both.Config)}
    assert promptsrc.Extra is not None
    assert names == {field.name for part in (bmip.Config, promptsrc.Extra) for field in fields(part)}
    assert both.presets["default"].training == promptsrc.presets["default"].training
    assert load_method("bmip+promptsrc").presets.keys() == {"default", "released", "cross-dataset"}


def test_three_methods_add_up() -> None:
    spec = load_method("coop+kgcoop+promptsrc")
    assert {"slots", "guidance", "teacher"} <= {field.name for field in fields(spec.Config)}


def test_a_method_in_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("one_file", "random", "coop"):
        shutil.copy(ROOT / "examples" / "shallow_text.py", tmp_path / f"{name}.py")
    spec = load_method(str(tmp_path / "one_file.py"))
    assert load_method("one_file") is spec
    model = build_model(str(tmp_path / "one_file.py"), {}, tiny_clip(), ClassNames(("a", "b")), seed=1)
    assert model.described().spec.method == "one_file"
    for name in ("random", "coop"):
        with pytest.raises(ValueError, match=f"cannot be imported as '{name}', which is another module's name"):
            load_method(str(tmp_path / f"{name}.py"))
    with pytest.raises(ValueError, match=r"no_file\.py does not exist"):
        load_method("no_file.py")
    with pytest.raises(ValueError, match=r"no method 'no_file' .*in PYTHONPATH\): there are bmip, "):
        load_method("no_file")
    with pytest.raises(ValueError, match="'shutil' is no method"):
        load_method("shutil")


@pytest.mark.parametrize(
    "name", ["beside.prompts", "beside", "beside/prompts.py", "./beside/prompts.py", "this", "coop+beside"]
)
def test_a_file_runs_no_code_that_lies_beside_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where Python is started in the folder that was fetched."""
    for file in ("__init__.py", "prompts.py"):
        (tmp_path / "beside").mkdir(exist_ok=True)
        (tmp_path / "beside" / file).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    clip = tiny_clip()
    build_model("coop", {}, clip, ClassNames(("a", "b")), seed=1).save_pretrained(tmp_path / "beside")
    file = tmp_path / "beside" / "prompts.json"
    description = json.loads(file.read_text())
    description["spec"]["method"] = name
    file.write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match="only code that was installed is run"):
        from_pretrained(tmp_path / "beside", clip)
    assert not (tmp_path / "ran").exists()


def test_a_file_may_name_a_method_that_is_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / "examples" / "shallow_text.py", tmp_path / "own_here.py")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match="'own_here' is none of bmip's"):
        check_written("own_here", ["coop"])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check_written("own_here", ["coop"])
    monkeypatch.delenv("PYTHONPATH")
    load_method("own_here")
    check_written("coop+own_here", ["coop"])
    del sys.modules["own_here"]


def test_what_is_no_whole_method_is_refused() -> None:
    spec = load_method("coop")
    with pytest.raises(ValueError, match="has no preset 'default'"):
        replace(spec, presets={"released": Preset("x")})
    with pytest.raises(ValueError, match="both Extra and extras, or neither"):
        replace(spec, Extra=spec.Config)
    with pytest.raises(ValueError, match="coop adds nothing to other prompts"):
        load_method("bmip") + spec


@dataclass(frozen=True)
class Clashing:
    guidance: float = 1.0


def test_an_option_of_both_is_refused() -> None:
    coop, kgcoop = load_method("coop"), load_method("kgcoop")
    own: MethodSpec = replace(coop, name="own", Config=Clashing)
    with pytest.raises(ValueError, match="has the option 'guidance' twice, from own and from kgcoop"):
        own + kgcoop
