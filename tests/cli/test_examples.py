"""The commands of pages run, in the order of the page, in a folder that has what the page speaks of.

What would take long is made short: one epoch, two images of each class, one seed, and the embedded CLIP in the place of
ViT-B/16.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.test_documentation import ROOT, commands
from tests.small import SMALL, photo_folder

FIRST_STEPS, USING = "docs/first-steps.md", "docs/using.md"
KINDS = ("circle", "cross", "star", "triangle")


def run_page(
    cli: Cli,
    name: str,
    *,
    first: str = "# ",
    until: str = "\0",
    only: tuple[str, ...] = ("bmip ",),
    more: Mapping[str, tuple[str, ...]] = {},
) -> dict[str, str]:
    """Runs the commands between two places of a page that begin in one of these ways; gives what each printed.

    `more` has options that a command gets beside those of the page.
    """
    page = (ROOT / name).read_text(encoding="utf-8")
    part = page[page.index(first) :].partition(until)[0]
    printed = {}
    for line in filter(lambda line: line.startswith(only), commands(part)):
        command, _, into = shlex.join(shlex.split(line, comments=True)).partition(" '>' ")
        _, called, *given = shlex.split(command)
        outcome = cli(*shortened([called, *given]), *more.get(called, ()))
        assert outcome.status == 0, f"{line}: {outcome.err}"
        printed[command] = outcome.out
        if into:
            Path(into).write_text(outcome.out, encoding="utf-8")
    assert printed
    return printed


def shortened(given: list[str]) -> list[str]:
    """The same command on less work."""
    if given[0] not in ("train", "run") or "--help" in given:
        return given
    while "--seeds" in given and given[given.index("--seeds") + 2 :][:1] in (["2"], ["3"]):
        del given[given.index("--seeds") + 2]
    less = {"--epochs": "1", "--shots": "2", "--backbone": "embedded"}
    for option in less.keys() & set(given):
        given[given.index(option) + 1] = less.pop(option)
    return [*given, *(word for pair in less.items() for word in pair)]


@pytest.fixture
def pictures(here: Path) -> Path:
    """25 pictures of each of four classes, so that 20 are for validation."""
    folder = photo_folder(here / "pictures", images=25)
    for drawn, name in zip(sorted(folder.iterdir()), KINDS, strict=True):
        drawn.rename(folder / name)
    return folder


@pytest.fixture
def trained(cli: Cli, pictures: Path) -> Path:
    asked = ("--data", pictures.name, "--backbone", "embedded", "--epochs", "1", "--shots", "2", "--threads", "1")
    assert cli("train", "--method", "bmip", *asked, "--out", "runs/pictures").status == 0
    return Path("runs/pictures")


def test_readme_own_images(cli: Cli, here: Path) -> None:
    """With two folders of six pictures each."""
    for folder, name in zip(sorted(photo_folder(here / "drawn", images=6).iterdir()), KINDS[::3], strict=False):
        shutil.copytree(folder, here / "pictures" / name)
    found = list(run_page(cli, "README.md", first="## Your own images", until="## Train and evaluate in").values())
    trained, known, asked, again = found
    accuracies = re.findall(r"[\d.]+ %", again)
    assert len(accuracies) == 2 + 1 and re.findall(r"[\d.]+ %", trained)[: len(accuracies)] == accuracies
    assert "square" in asked and "square" not in known
    split = json.loads(Path("pictures/split.json").read_text(encoding="utf-8"))
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        assert Counter(name for _, _, name in split[part]) == {"circle": count, "triangle": count}


def test_first_steps_train(cli: Cli, here: Path) -> None:
    base, novel, looked = run_page(cli, FIRST_STEPS, until="## Compare").values()
    assert "digit four" in base and "digit five" not in base and "zero-shot" in base
    assert "digit five" in novel and "digit four" not in novel
    assert "gate weight" in looked


def test_first_steps_compare(cli: Cli, here: Path) -> None:
    ran, reported, _ = run_page(cli, FIRST_STEPS, first="## Compare", until="## Find").values()
    assert "harmonic mean" in ran and "harmonic mean" in reported
    assert Path("page/index.html").exists()
    only = ("bmip report ",)  # README's own run is the same on another data set
    (table,) = run_page(cli, "README.md", first="## Compare methods", until="The first line", only=only).values()
    assert "| bmip |" in table
    assert list(Path("runs/tables").iterdir())


def test_first_steps_choose(cli: Cli, here: Path) -> None:
    *lists, trained = run_page(cli, FIRST_STEPS, first="## Find").values()
    assert all("maple" in printed for printed in lists[:2]) and "zero-shot" in trained
    assert Path("runs/digits-maple/prompts.json").exists()


def test_own_images(cli: Cli, pictures: Path) -> None:
    shutil.copytree(pictures, "birds")
    rows = [f"{path.relative_to('birds')},{path.parent.name}" for path in sorted(Path("birds").glob("*/*.png"))]
    Path("birds/birds.csv").write_text("\n".join(["path,label", *rows]))
    Path("birds/names.json").write_text(json.dumps({"star": "starling"}))
    Path("known.txt").write_text("circle\nstar\n")
    found = run_page(cli, "docs/own-images.md")
    assert any("starling" in printed for printed in found.values())
    assert Path("pictures/split.json").exists() and Path("birds/birds.split.json").exists()


def test_using(cli: Cli, trained: Path, pictures: Path) -> None:
    for folder in ("holiday", "more"):
        shutil.copytree(pictures / "star", folder)
    shutil.copy("holiday/00.png", "photo.jpg")
    shutil.copy("holiday/01.png", "more/one.jpg")
    Path("names.txt").write_text("a corgi\na hamster\n")
    run_page(cli, USING, first="## Classify images", until="## Export for programs")
    assert len(Path("answers.csv").read_text().splitlines()) == 1 + 25
    assert Path("features.npz").exists() and Path("runs/pictures/prompts.threshold.json").exists()
    run_page(cli, USING, first="## What the prompts are", until="## Checkpoints of released code")
    assert Path("explained.png").exists()


def test_adding_a_method(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "shallow_text", raising=False)
    shutil.copy(ROOT / "examples" / "shallow_text.py", "shallow_text.py")
    methods, trained, compared = run_page(cli, "docs/adding-a-method.md").values()
    assert "slots" in methods and "digit nine" in trained and "shallow-text" in compared


def test_reports_and_results(cli: Cli, pictures: Path, backbone: Path) -> None:
    for protocol in ("few-shot", "open-world"):
        asked = ("--method", "zero-shot", "bmip", "--data", pictures.name, "--backbone", backbone)
        assert cli("run", protocol, *asked, "--seeds", "1", "2", "3", *SMALL).status == 0
    for shard in ("shard-1", "shard-2"):
        shutil.copytree("runs/few-shot", shard)
    run_page(cli, "docs/protocols.md", only=("bmip report ", "bmip results runs/few-shot", "bmip results merge "))
    assert len(Path("few-shot.csv").read_text(encoding="utf-8").splitlines()) == 1 + 6
    assert len(Path("results.jsonl").read_text(encoding="utf-8").splitlines()) == 6
