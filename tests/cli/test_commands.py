"""Whole commands on a small backbone and on photos."""

import csv
import json
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from bmip.class_names import ClassNames
from bmip.cli import COMMANDS
from bmip.clip.loading.load import load_clip
from bmip.methods import build_model
from tests.cli.conftest import Cli
from tests.small import SMALL

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(cli: Cli, name: str) -> None:
    for arguments in [["data", "list"]] if name == "data" else [[name]]:
        found = cli(*arguments, "--help")
        assert found.status == 0
        assert f"Example: bmip {name}" in found.out


def test_lists(cli: Cli) -> None:
    assert "bmip" in cli("methods").out
    found = cli("methods", "bmip").out
    assert "gate_input" in found
    assert "uniform attention" in found
    assert "released" in found
    assert "ViT-B/16" in cli("backbones").out
    assert "handwritten" in cli("data", "list").out


def test_version(cli: Cli) -> None:
    assert cli("--version").out.startswith("bmip 0")


def test_train_eval_predict_on_own_images(cli: Cli, photos: Path, backbone: Path) -> None:
    trained = cli("train", "--data", "photos", "--backbone", backbone, "--classes", "base", *SMALL)
    assert trained.status == 0, trained.err
    assert "blue" in trained.out
    assert "all" in trained.out
    assert "red" not in trained.out, "red and grey sort into the novel half"
    run = Path("runs/photos-bmip")
    assert {"config.json", "metrics.jsonl", "prompts.json", "prompts.safetensors"} <= {p.name for p in run.iterdir()}
    assert "bmip predict runs/photos-bmip" in trained.err

    again = cli("train", "--data", "photos", "--backbone", backbone, "--classes", "base", *SMALL)
    assert (again.status, again.out) == (0, trained.out)

    novel = cli("eval", run, "--classes", "novel", "--json")
    assert novel.status == 0, novel.err
    told = json.loads(novel.out)
    assert [entry["class"] for entry in told["classes"]] == ["grey", "red"]
    assert told["total"] == sum(entry["total"] for entry in told["classes"])
    named = cli("eval", run, "--classes", "red,blue,unicorn", "--json")
    told = json.loads(named.out)
    assert [entry["class"] for entry in told["classes"]] == ["red", "blue", "unicorn"]
    assert told["classes"][2]["total"] == 0

    table = cli("predict", run, "photos/red/00.png", "photos/blue", "--classes", "red,blue,sky")
    assert table.status == 0, table.err
    assert "photos/red/00.png" in table.out
    assert "%" in table.out
    lines = cli("predict", run, "photos/*/00.png", "--top", "9", "--format", "jsonl").out.splitlines()
    found = [json.loads(line) for line in lines]
    assert [entry["image"] for entry in found] == sorted(str(path) for path in Path("photos").glob("*/00.png"))
    for entry in found:
        assert {guess["name"] for guess in entry["guesses"]} == {"blue", "green"}
        assert sum(guess["probability"] for guess in entry["guesses"]) == pytest.approx(1, abs=1e-5)


def test_a_run_is_evaluated_as_it_was_trained(cli: Cli, photos: Path, backbone: Path) -> None:
    """Template, class names, split and base classes are those of training; what is given anew wins and is said."""
    Path("names.json").write_text('{"red": "warm", "blue": "cold", "green": "leaf", "grey": "dull"}')
    read = ("--template", "one {}", "--class-names", "names.json", "--split-seed", "7")
    given = ("--method", "zero-shot", "--data", "photos", "--backbone", backbone, *read, *SMALL[2:])
    assert cli("train", *given, "--out", "run").status == 0
    same = cli("eval", "run", "--json")
    told = json.loads(same.out)
    assert same.err.splitlines() == [
        "template is 'one {}' as in training",
        "class_names is 'names.json' as in training",
        "split_seed is 7 as in training",
    ]
    with Path("run/predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (told["correct"], told["total"]) == (sum(row["label"] == row["predicted"] for row in rows), len(rows))
    assert [one["class"] for one in told["classes"]] == ["cold", "leaf", "dull", "warm"]
    other = cli("eval", "run", "--template", "two {}", "--class-names", "")
    assert "template is 'two {}'; in training it was 'one {}'" in other.err and " red " in other.out

    Path("base.txt").write_text("red\ngrey\n")
    run = ("run", "base-to-novel", *given[:-4], *SMALL[-4:], "--seeds", "1", "--base", "base.txt", "--class-names", "")
    assert cli(*run).status == 0
    (folder,) = Path("runs/photos").glob("zero_shot-base-*")
    base = json.loads(cli("eval", folder, "--classes", "base", "--json").out)
    assert [one["class"] for one in base["classes"]] == ["grey", "red"], "not the first half, which is blue and green"


def test_class_names_in_every_way(cli: Cli, photos: Path, backbone: Path) -> None:
    assert cli("train", "--data", "photos", "--backbone", backbone, "--out", "run", *SMALL).status == 0
    Path("names.txt").write_text("red\nsky, x\n")

    def names(*given: str) -> set[str]:
        found = json.loads(cli("predict", "run", "photos/red/00.png", "--format", "jsonl", *given).out)
        return {guess["name"] for guess in found["guesses"]}

    both = {"red", "a cat"}
    assert names("--classes", "red,a cat") == names("--classes", "red", "a cat") == both
    assert names("--classes", "red", "--classes", "a cat") == both
    listed = ("--classes-file", "names.txt")
    assert names(*listed) == names("--classes", "red", "sky, x") == {"red", "sky, x"}
    assert names(*listed, "--classes", "sky") == {"red", "sky, x", "sky"}
    told = json.loads(cli("eval", "run", "--json", *listed).out)
    assert [one["class"] for one in told["classes"]] == ["red", "sky, x"]


def test_zero_shot_stands_beside_what_was_trained(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("--data", "photos", "--backbone", backbone, "--template", "one {}", *SMALL[2:])
    trained = cli("train", "--method", "maple", "--set", "depth=2", *given)
    frozen = cli("train", "--method", "zero-shot", *given)
    (told,) = [line for line in trained.out.splitlines() if line.startswith("zero-shot ")]
    (every,) = [line.split() for line in frozen.out.splitlines() if line.startswith(" all ")]
    assert told == f"zero-shot {every[3]} %: the same CLIP without training, 'one {{}}'"
    assert "--template does not change how it classifies" in trained.err
    assert "--template" not in frozen.err and "zero-shot " not in frozen.out.partition("all")[2]


def test_zero_shot_is_added_on_ones_own_images(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("run", "base-to-novel", "--data", "photos", "--seeds", "1", "--backbone", backbone, "--template", "one {}")
    found = cli(*given, "--method", "maple", *SMALL)
    assert "zero-shot is added to the methods" in found.err and "photos zero-shot, 2 shots" in found.err
    assert found.err.count("maple has a sentence of its own") == 1 and "zero-shot has" not in found.err
    assert "is added" not in cli(*given, "--method", "zero-shot", *SMALL[2:]).err


def test_the_embedded_clip_on_foreign_images_carries_a_remark(cli: Cli, photos: Path) -> None:
    remark = "the embedded CLIP knows drawings only"
    given = ("--backbone", "embedded", *SMALL[2:])
    assert remark in cli("train", "--data", "photos", "--out", "run", "--method", "vpt", *given).err
    assert remark in cli("eval", "run").err and remark in cli("predict", "run", "photos/red").err
    assert remark in cli("run", "few-shot", "--data", "photos", "--method", "zero-shot", "--seeds", "1", *given).err
    assert remark not in cli("train", "--data", "digits", "--method", "zero-shot", *SMALL[2:]).err


def test_other_settings_do_not_fit_the_same_folder(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("train", "--data", "photos", "--backbone", backbone, "--method", "maple", *SMALL)
    assert cli(*given).status == 0
    other = cli(*given, "--lr", "0.5")
    assert other.status == 2
    assert "training.lr: 0.0035 and 0.5" in other.err


def test_prompts_alone_classify(cli: Cli, photos: Path, backbone: Path) -> None:
    assert cli("train", "--data", "photos", "--backbone", backbone, "--out", "run", *SMALL).status == 0
    Path("kept").mkdir()
    for name in ("prompts.json", "prompts.safetensors"):
        shutil.copy(Path("run") / name, "kept")
    assert cli("predict", "kept", "photos/red/00.png", "--backbone", backbone).status == 0
    assert cli("eval", "kept").out == cli("eval", "kept", "--data", "photos").out


def test_prompts_that_know_no_data_are_told_so(cli: Cli, backbone: Path) -> None:
    model = build_model("vpt", {"depth": 2}, load_clip(backbone), ClassNames(("red", "blue")), seed=1)
    model.save_pretrained("made")
    unknown = cli("eval", "made", "--backbone", backbone)
    assert unknown.status == 2
    assert "does not say which data" in unknown.err


def test_run_and_report(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("run", "base-to-novel", "--method", "zero-shot", "maple", "bmip", "--data", "photos", "--seeds", "1", "2")
    given = (*given, "--backbone", str(backbone), *SMALL)
    first = cli(*given)
    assert first.status == 0, first.err
    assert "harmonic mean" in first.out
    assert "[6/6]" in first.err
    rows = Path("runs/base-to-novel/results.jsonl")
    before = rows.read_bytes()
    assert len(before.splitlines()) == 6
    changed = [json.loads(line)["changed"] for line in before.splitlines()]
    assert changed[-1] == {"depth": 2, "epochs": 2}, "the batch of 4 that was asked for is bmip's own"
    assert "2 shots, depth=2, epochs=2, " in first.out

    second = cli(*given)
    assert (second.status, second.out) == (0, first.out)
    assert second.err.count("done before") == 6
    assert rows.read_bytes() == before

    assert cli("report", rows).out == first.out
    assert "| photos | zero-shot |" in cli("report", rows, "--markdown").out


def test_a_preset_beside_a_method(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("run", "base-to-novel", "--method", "bmip", "bmip:released", "--data", "photos", "--seeds", "1")
    found = cli(*given, "--backbone", backbone, *SMALL)
    assert found.status == 0, found.err
    assert "bmip " in found.out
    assert "bmip:released" in found.out


def test_a_preset_for_those_methods_that_have_it(cli: Cli, photos: Path, backbone: Path) -> None:
    shutil.copy(ROOT / "examples" / "shallow_text.py", "shallow.py")
    given = ("run", "few-shot", "--data", "photos", "--seeds", "1", "--backbone", backbone, "--preset", "released")
    found = cli(*given, "--method", "./shallow.py", "bmip", *SMALL)
    assert found.status == 0, found.err
    assert "shallow.py has no preset 'released' and takes another" in found.err
    assert "shallow.py: preset default" in found.err and "bmip: preset released" in found.err
    own = cli(*given, "--method", "./shallow.py:default", "bmip", *SMALL)
    assert own.status == 0 and "and takes another" not in own.err
    alone = cli(*given, "--method", "./shallow.py", "bmip:default", *SMALL)
    assert alone.status == 2 and "has no preset 'released'" in alone.err


@pytest.mark.parametrize("method", ["bmip:released", "zero_shot", "./shallow.py", "shallow"])
def test_train_takes_every_form_of_a_method(
    cli: Cli, photos: Path, backbone: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "shallow", raising=False)
    shutil.copy(ROOT / "examples" / "shallow_text.py", "shallow.py")
    size = SMALL if method.startswith("bmip") else SMALL[2:]
    found = cli("train", "--data", "photos", "--backbone", backbone, "--method", method, "--out", "run", *size)
    assert found.status == 0, found.err
    assert f"preset {method.partition(':')[2] or 'default'}" in found.err
    assert cli("eval", "run").status == 0


def test_both_kinds_of_seed(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("run", "base-to-novel", "--method", "maple", "--data", "photos", "--seeds", "1", "2", "--init-seeds", "5")
    assert cli(*given, "--backbone", backbone, *SMALL).status == 0
    trials = [
        json.loads(line)["trial"]["run"] for line in Path("runs/base-to-novel/results.jsonl").read_text().splitlines()
    ]
    assert sorted((trial["data_seed"], trial["init_seed"]) for trial in trials) == [(1, 5), (1, 5), (2, 5), (2, 5)]


def test_a_class_with_too_few_images_is_named_once(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("run", "base-to-novel", "--method", "maple", "--data", "photos", "--seeds", "1", "2", "--backbone")
    found = cli(*given, backbone, *SMALL, "--shots", "8")
    assert found.status == 0, found.err
    assert found.err.count("classes have fewer than 8 training images: ") == found.err.count("red (5)") == 1


def test_search_writes_presets_that_run_takes(cli: Cli, photos: Path, backbone: Path) -> None:
    shared = ("--data", "photos", "--shots", "2", "--backbone", backbone, "--device", "cpu", "--set", "depth=2")
    given = ("search", "--method", "bmip", "maple", "--lr", "0.01", "0.1", "--epochs", "1", "2", *shared)
    found = cli(*given)
    assert found.status == 0, found.err
    assert "no results" in found.out
    presets = tomllib.loads(Path("runs/search/presets.toml").read_text())
    assert set(presets) == {"bmip", "maple"}
    assert presets["bmip"]["options"] == {"depth": 2}
    assert presets["bmip"]["training"]["lr"] in (0.01, 0.1)
    source = presets["bmip"]["source"]
    assert source.startswith("best of 4 settings by harmonic mean on validation images (")
    assert "epochs 1, 2; lr 0.01, 0.1; photos; seeds 1; 2 shots; backbone " in source
    assert cli(*given).err.count("done before") == 8

    chosen = ("--method", "bmip", "--preset", "runs/search/presets.toml", "--seeds", "1")
    assert cli("run", "base-to-novel", *chosen, *shared).status == 0
    other = cli("run", "base-to-novel", "--method", "ivlp", *chosen[2:], *shared[:-2])
    assert other.status == 2
    assert "no settings for the method 'ivlp'" in other.err


def test_a_setting_that_diverges_is_not_chosen(cli: Cli, photos: Path, backbone: Path) -> None:
    shared = ("--data", "photos", "--shots", "2", "--backbone", backbone, "--device", "cpu", "--set", "depth=2")
    found = cli("search", "--method", "maple", "--lr", "0.01", "1e30", "--epochs", "3", *shared)
    assert found.status == 0, found.err
    assert "cannot be chosen: photos maple, 2 shots, seeds 1/1 (preset default, " in found.err
    assert "lr=1e+30" in found.err
    assert tomllib.loads(Path("runs/search/presets.toml").read_text())["maple"]["training"]["lr"] == 0.01
    alone = cli("search", "--method", "maple", "--lr", "1e30", "--epochs", "3", *shared)
    assert alone.status == 2
    assert "give smaller learning rates" in alone.err


def test_quickstart(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[2] / "examples" / "quickstart.py"
    code = example.read_text().replace("epochs=10", "epochs=1")
    exec(compile(code, str(example), "exec"), {"__name__": "__main__"})
    told = capsys.readouterr().out
    assert "base" in told
    assert "smiling face" in told
