"""Every protocol through the command line, on a small backbone and on photos."""

import json
import shutil
from pathlib import Path

import pytest

from bmip.experiments.registry import protocols
from tests.cli.conftest import Cli, Outcome
from tests.cli.test_errors import refused
from tests.small import SMALL, photo_folder

MAPLE = ("--method", "zero-shot", "maple", "--seeds", "1", *SMALL)


@pytest.fixture
def given(photos: Path, backbone: Path) -> tuple[str, ...]:
    photo_folder(Path("others"), images=6, classes=("red", "blue", "grey"))
    return (*MAPLE, "--backbone", str(backbone), "--data", "photos")


def stored(name: str) -> list[dict]:
    return [json.loads(line) for line in Path(f"runs/{name}/results.jsonl").read_text().splitlines()]


def again_is_nothing(cli: Cli, first: Outcome, *command: str) -> None:
    assert first.status == 0, first.err
    second = cli(*command)
    assert (second.status, second.out) == (0, first.out)
    trials = first.err.count("seeds 1/1")
    assert second.err.count("done before") == trials
    assert f"trials that are done already: {trials} of {trials}" in second.err and "done already" not in first.err


def test_open_world_after_base_to_novel(cli: Cli, given: tuple[str, ...]) -> None:
    assert cli("run", "base-to-novel", *given).status == 0
    (prompts,) = Path("runs/photos").glob("maple-base-*/prompts.safetensors")
    before = prompts.stat().st_mtime_ns
    found = cli("run", "open-world", *given)
    again_is_nothing(cli, found, "run", "open-world", *given)
    for part in ("OpenworldAUC", "AUROC", "H", "base, joint", "novel, joint", "joint HM"):
        assert part in found.out
    assert prompts.stat().st_mtime_ns == before
    assert [entry.name for entry in Path("runs/open-world").iterdir()] == ["results.jsonl"]
    base = {row["trial"]["run"]["method"]: row["counts"]["base"] for row in stored("base-to-novel")}
    assert {row["trial"]["run"]["method"]: row["counts"]["base"] for row in stored("open-world")} == base


def test_few_shot(cli: Cli, given: tuple[str, ...]) -> None:
    command = ("run", "few-shot", *given, "--shots", "1", "2")
    found = cli(*command)
    again_is_nothing(cli, found, *command)
    assert "1 shot" in found.out and "2 shots" in found.out
    assert "photos maple, 1 shot, seeds 1/1" in found.err
    metrics = cli("report", "runs/few-shot/results.jsonl", "--metrics")
    for name in ("macro accuracy", "top-5", "macro F1", "ECE"):
        assert name in metrics.out
    against = cli("report", "runs/few-shot/results.jsonl", "--against", "zero-shot", "--published")
    assert against.out.startswith(cli("report", "runs/few-shot/results.jsonl").out.rstrip("\n"))
    assert "Few-shot against zero-shot" in against.out
    assert "no published numbers fit" in against.err
    refused(cli("report", "runs/few-shot/results.jsonl", "--against", "coop"), "'coop' is no line of the table")
    drawn = cli("report", "runs/few-shot/results.jsonl", "--pictures", "pictures")
    assert "picture: pictures/few-shot.png" in drawn.err
    assert Path("pictures/few-shot.png").stat().st_size > 1000


def test_cross_dataset_and_domain_share_one_training(cli: Cli, given: tuple[str, ...]) -> None:
    shutil.copytree("photos", "shifted")
    command = ("run", "cross-dataset", *given, "--targets", "others", "shifted")
    found = cli(*command)
    again_is_nothing(cli, found, *command)
    assert "photos (source)" in found.out and "average" in found.out
    assert "photos -> others maple" in found.err
    (run,) = Path("runs/photos").glob("maple-all-*")
    domain = cli("run", "domain", *given, "--targets", "shifted")
    assert domain.status == 0, domain.err
    assert "Domain generalisation from photos" in domain.out
    assert [one.name for one in Path("runs/photos").glob("maple-all-*")] == [run.name]
    evaluated = {row["trial"].get("target"): row["counts"] for row in stored("cross-dataset") if row["trainable"]}
    shifted = {row["trial"].get("target"): row["counts"] for row in stored("domain") if row["trainable"]}
    assert set(evaluated) == {"", "others", "shifted"}
    assert (shifted[""], shifted["shifted"]) == (evaluated[""], evaluated["shifted"])


def test_ratio_sweep(cli: Cli, given: tuple[str, ...]) -> None:
    command = ("run", "ratio-sweep", *given)
    found = cli(*command)
    again_is_nothing(cli, found, *command)
    assert "100 %" in found.out and "0 %" in found.out
    assert "| data set | method | 100 % | 80 % |" in cli("report", "runs/ratio-sweep/results.jsonl", "--markdown").out


def test_base_classes_of_ones_own(cli: Cli, given: tuple[str, ...]) -> None:
    Path("base.txt").write_text("blue\n\n red \n")
    command = ("run", "base-to-novel", *given)
    found = cli(*command, "--base", "base.txt")
    again_is_nothing(cli, found, *command, "--base", "base.txt")
    assert "2 shots, base: blue, red, " in found.out
    assert "base: the first 40%" in cli(*command, "--base", "0.4").out
    assert "base: " not in cli(*command).out
    assert cli("report", "runs/base-to-novel/results.jsonl", "--markdown").out.count("Base to novel") == 3


def test_seeds_cannot_be_left_out_of_a_table(cli: Cli, given: tuple[str, ...]) -> None:
    """Who asks for fewer seeds than were run sees them all the same."""
    both = cli("run", "base-to-novel", *given, "--seeds", "1", "2")
    one = cli("run", "base-to-novel", *given)
    assert (one.status, one.out) == (0, both.out)
    assert "2 runs with other seeds" in one.err
    assert cli("report", "runs/base-to-novel/results.jsonl").out == both.out


def test_a_training_that_diverges_is_listed_after_the_table(cli: Cli, given: tuple[str, ...]) -> None:
    found = cli("run", "base-to-novel", *given, "--lr", "1e30", "--warmup-lr", "1e30")
    assert found.status == 1
    assert "zero-shot" in found.out
    *_, told, last = found.err.splitlines()
    assert told.startswith("[2/2] photos maple, 2 shots, seeds 1/1: failed (")
    assert last.startswith("Failed: photos maple, 2 shots, seeds 1/1 (preset default, ")
    assert "lr=1e+30" in last
    alone = cli("run", "base-to-novel", "--method", "maple", *given[3:], "--lr", "1e30", "--warmup-lr", "1e30")
    assert (alone.status, alone.out) == (1, found.out), "zero-shot is added"
    assert alone.err.splitlines()[-1] == last


def test_what_is_asked_for_twice_is_one_trial(cli: Cli, given: tuple[str, ...]) -> None:
    found = cli("run", "base-to-novel", *given, "--method", "zero-shot", "--seeds", "1", "1")
    assert "\n2 trials; rows" in found.err and "[2/2]" in found.err


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("open-wrld", "did you mean 'open-world'"),
        ("base-to-novel --targets others", "leave out the targets others"),
        ("few-shot --targets others", "leave out the targets others"),
        ("cross-dataset", "cross-dataset from 'photos' needs targets"),
        ("cross-dataset --targets photos", "'photos' is trained on and evaluated anyway"),
        ("cross-dataset --targets digts", "'digts' is neither a data set"),
        ("domain --targets others --data tones", "has no class 'blue': evaluate it with cross-dataset"),
        ("open-world --data tones", "tones has 2 classes"),
        ("few-shot --shots -1", "--shots"),
        ("base-to-novel --base 1.5", "--base is '1.5': give a share between 0 and 1"),
        ("base-to-novel --base blue", "--base is 'blue': give a share between 0 and 1, or a file"),
        ("base-to-novel --base names", "names is no list of classes"),
        ("base-to-novel --base renames.json", "renames.json is no list of classes"),
        ("base-to-novel --base others/names", "photos has no class 'mauve'"),
        ("base-to-novel --base 0.9", "gets 4 and 0"),
        ("few-shot --runs names", "'--runs'"),
        ("few-shot --results others", "'--results'"),
        ("few-shot --base 0.4", "few-shot knows no base and novel classes"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(cli: Cli, given: tuple[str, ...], line: str, part: str) -> None:
    photo_folder(Path("tones"), images=6, classes=("red", "grey"))
    Path("names").write_text("\n")
    Path("renames.json").write_text('{"red": "scarlet"}')
    Path("others/names").write_text("red\nmauve\n")
    name, *more = line.split()
    shorter = given[:-2] if "--data" in more else given
    found = cli("run", name, *shorter, *more)
    assert found.status == 2
    assert part in found.err.splitlines()[-1]
    assert not Path("runs").exists()


def test_help_names_every_protocol(cli: Cli) -> None:
    told = cli("run", "--help").out
    assert all(found.name in told for found in protocols())
