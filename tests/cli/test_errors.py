"""Whatever a user can get wrong: status 2, a line or two that name it, and no traceback."""

import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from bmip.cli import main
from tests.cli.conftest import Cli, Outcome
from tests.small import SMALL


def refused(found: Outcome, *parts: str) -> None:
    assert found.status == 2
    assert found.out == ""
    lines = found.err.splitlines()
    assert lines[-1].startswith("Error: ")
    assert "Traceback" not in found.err
    for part in parts:
        assert part in lines[-1]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("trian", "did you mean 'train'"),
        ("train", "Missing option '--data'"),
        ("train --data digts", "'digts' is neither a data set (did you mean 'digits'?"),
        ("train --data no/such/folder", "no/such/folder does not exist"),
        ("train --data digits --method bmpi", "did you mean 'bmip'"),
        ("train --data digits --method BMIP", "did you mean 'bmip'"),
        ("train --data digits --method ./absent.py", "absent.py does not exist"),
        ("train --data digits --set dpth=3", "did you mean 'depth'"),
        ("train --data digits --set depth=x", "a whole number is needed"),
        ("train --data digits --epoch 3", "--epochs"),
        ("train --data digits --epochs x", "--epochs"),
        ("train --data digits --epochs 0", "epochs is 0"),
        ("train --data digits --lr -1", "lr is -1"),
        ("train --data digits --optimizer adagrad", "adam"),
        ("train --data digits --classes half", "choose one of all, base, novel"),
        ("train --data digits --preset relased", "did you mean 'released'"),
        ("train --data digits --backbone ViT-B/61", "did you mean 'ViT-B/16'"),
        ("train --data digits --device tpu", "'tpu' is no device"),
        ("train --data digits --precision float16 --device cpu", "float16 on a CPU"),
        ("train --data digits --shots -1", "--shots"),
        ("train --data digits --template nothing", "'nothing'"),
        ("run base-to-nvel --method bmip --data digits", "did you mean 'base-to-novel'"),
        ("run base-to-novel --method bmip:relased --data digits", "did you mean 'released'"),
        ("run base-to-novel --method bmip --data digits --set dpth=3", "did you mean 'depth'"),
        ("run base-to-novel --method bmip --data digits --seeds one", "--seeds"),
        ("report missing.jsonl", "missing.jsonl does not exist"),
        ("methods bmpi", "did you mean 'bmip'"),
        ("eval missing", "there is no checkpoint missing"),
        ("eval missing --classes novel --classes-file names.txt", "name classes twice: leave one of them out"),
        ("train --data digits --device cpu:abc", "no device 'cpu:abc'"),
        ("train --data digits --threads 100000", "--threads"),
        ("train --data digits --init-seed 99999999999999999999999", "--init-seed"),
        ("data show", "show"),
    ],
)
def test_refused(cli: Cli, line: str, part: str) -> None:
    refused(cli(*line.split()), part)


def test_images_that_cannot_be_read(cli: Cli, photos: Path, backbone: Path) -> None:
    assert cli("train", "--data", "photos", "--backbone", backbone, "--out", "run", *SMALL).status == 0
    Path("bad.png").write_bytes(b"no image")
    found = cli("predict", "run", "bad.png", "photos/red/00.png")
    assert found.status == 1 and "photos/red/00.png" in found.out and "bad.png" not in found.out
    assert "not read: bad.png is not an image" in found.err and found.err.endswith("1 image could not be read\n")
    refused(cli("predict", "run", "absent.png"), "there is no image absent.png")
    Path("hollow").mkdir()
    refused(cli("predict", "run", "hollow"), "hollow holds no images")
    refused(cli("predict", "run", "photos/red", "--classes", "red,,blue"), "class 1 has an empty name")
    refused(cli("predict", "run", "photos/red", "--classes", "red,red"), "occur more than once: 'red'")
    long = " ".join(["long"] * 30)
    refused(cli("predict", "run", "photos/red", "--classes", f"red,{long}"), "long long", "tokens")
    refused(cli("eval", "run", "--classes", "unicorn,dragon"), "no class of unicorn, dragon")


def test_too_few_classes_for_two_halves(cli: Cli, here: Path, backbone: Path) -> None:
    for name in ("red", "blue"):
        (here / "two" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (8, 8), (number, 0, len(name))).save(here / "two" / name / f"{number}.png")
    given = ("run", "base-to-novel", "--method", "maple", "--data", "two", "--seeds", "1", "--backbone", backbone)
    refused(cli(*given, *SMALL), "two has 2 classes; base-to-novel needs at least 4")


def test_a_damaged_file_of_results(cli: Cli, here: Path) -> None:
    (here / "bad.jsonl").write_text('{"trial": 1}\n')
    refused(cli("report", "bad.jsonl"), "bad.jsonl, line 1")
    (here / "empty.jsonl").touch()
    refused(cli("report", "empty.jsonl"), "holds no results")


def test_a_folder_that_cannot_be_made(cli: Cli, photos: Path, backbone: Path) -> None:
    Path("file").touch()
    given = ("train", "--data", "photos", "--backbone", backbone, "--out", "file/run", *SMALL)
    found = cli(*given)
    assert found.status == 2 and "the folder file/run cannot be made (Not a directory): name another" in found.err


def test_what_the_system_refuses_is_said_in_words(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(given: list[str]) -> int:
        raise PermissionError(13, "Permission denied", "out\x1b.csv")

    monkeypatch.setattr("bmip.cli._run", fail)
    refused(cli("report", "x"), "out\\x1b.csv cannot be used: permission denied")


@pytest.mark.parametrize(
    ("command", "goes_on"), [("train", True), ("study", True), ("serve", False), ("predict", False)]
)
def test_what_was_stopped_says_whether_it_goes_on(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, goes_on: bool
) -> None:
    def stop(given: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("bmip.cli._run", stop)
    found = cli(command)
    assert found.status == 130 and found.err.startswith("Stopped.")
    assert ("The same command goes on" in found.err) is goes_on


def test_other_files_than_checkpoints_are_no_released_ones(cli: Cli, here: Path) -> None:
    Path("prompts.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    Path("a.png").write_bytes(b"\x89PNG")
    given = ("--method", "bmip", "--out", "x", "--backbone", "embedded")
    refused(cli("import-checkpoint", "prompts.safetensors", *given), "prompts of bmip are used as they are")
    refused(
        cli("import-checkpoint", "a.png", *given), "a.png is no checkpoint that torch.save wrote; it was not opened"
    )


def test_debug_shows_the_traceback(here: Path) -> None:
    with pytest.raises(ValueError, match=r"missing\.jsonl does not exist"):
        main(["report", "missing.jsonl", "--debug"])


STOPS = """
from dataclasses import replace
from pathlib import Path
from bmip import load_method
from bmip.prompting import Extras, Term

class Stop(Term):
    steps = 0

    def forward(self, step):
        self.steps += 1
        if self.steps == 5 and Path("stop").exists():
            Path("stop").unlink()
            raise KeyboardInterrupt
        return {}

def build(config, clip, classes):
    if Path("broken").exists():
        raise TypeError("a mistake")
    return load_method("maple").build(config, clip, classes).plus(Extras(terms=[Stop()]))

METHOD = replace(load_method("maple"), name="stops", build=build)
"""


@pytest.fixture
def stops(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A method in a file, which stops once in its fifth step if there is a file `stop`, and fails if one `broken`."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (here / "stops.py").write_text(STOPS)
    sys.modules.pop("stops", None)
    return "./stops.py"


def test_a_fault_of_the_program_keeps_its_traceback(photos: Path, backbone: Path, stops: str) -> None:
    Path("broken").touch()
    with pytest.raises(TypeError, match="a mistake"):
        main(["train", "--data", "photos", "--backbone", str(backbone), "--method", stops, *SMALL])


def test_an_interrupted_run_goes_on_to_the_same_end(cli: Cli, photos: Path, backbone: Path, stops: str) -> None:
    given = ("train", "--data", "photos", "--backbone", backbone, "--method", stops, *SMALL, "--epochs", "4")
    whole = cli(*given, "--out", "whole")
    assert "interrupted" not in whole.err and "done already" not in whole.err
    Path("stop").touch()
    found = cli(*given, "--out", "cut")
    assert found.status == 130
    assert found.err.splitlines()[-1] == "Stopped. The same command goes on where it was."
    assert not Path("cut/predictions.csv").exists()
    again = cli(*given, "--out", "cut")
    assert again.out == whole.out
    assert "the training was interrupted and goes on at epoch 3 of 4" in again.err
    for name in ("predictions.csv", "prompts.safetensors"):
        assert (Path("cut") / name).read_bytes() == (Path("whole") / name).read_bytes()
    last = cli(*given, "--out", "cut")
    assert last.out == whole.out and "this was done already; the result is read from cut" in last.err


def test_training_that_diverges(cli: Cli, photos: Path, backbone: Path) -> None:
    given = ("train", "--data", "photos", "--backbone", backbone, *SMALL, "--lr", "1e30", "--warmup-lr", "1e30")
    refused(cli(*given), "not finite", "learning rate")


def test_the_installed_command_returns_the_status(here: Path) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", "import sys; from bmip.cli import main; sys.exit(main())", "report", "missing.jsonl"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (2, "Error: missing.jsonl does not exist\n")


def test_class_names_that_are_files_or_lists(cli: Cli, photos: Path, backbone: Path) -> None:
    assert cli("train", "--data", "photos", "--backbone", backbone, "--out", "run", *SMALL).status == 0
    Path("names.txt").write_text("red\nblue\n")
    refused(
        cli("predict", "run", "photos/red", "--classes", "red", "names.txt"),
        "file of names as --classes-file names.txt",
    )
    refused(cli("predict", "run", "photos/red/00.png", "--classes", "a,b", "photos/red/01.png"), "before --classes")
    refused(cli("eval", "run", "--classes-file", "absent.txt"), "absent.txt does not exist")
    Path("map.json").write_text('{"red": "scarlet"}')
    refused(cli("predict", "run", "photos/red", "--classes-file", "map.json"), "map.json is no list of classes")


def test_a_run_whose_data_or_backbone_have_moved(
    cli: Cli, photos: Path, backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(backbone, "clip")
    assert cli("train", "--data", "photos", "--backbone", "clip", "--out", "run", *SMALL).status == 0
    told = cli("eval", "run").out
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    away = cli("eval", "../run")
    assert away.out.replace("../run", "run").split() == told.split()
    assert away.err.splitlines()[-1] == f"data: {photos}"
    photos.rename("pictures")
    refused(cli("eval", "../run"), f"../run was trained on 'photos', then {photos}, which is not there", "(--data)")
    assert cli("eval", "../run", "--data", "pictures").status == 0
    Path("../clip").rename("kept")
    refused(
        cli("eval", "../run"),
        "trained with the CLIP 'clip', then ",
        "/clip, which is not there",
        "(--backbone on the command line",
    )
    assert cli("eval", "../run", "--data", "pictures", "--backbone", "kept").status == 0
    refused(cli("eval", "../run", "--data", "pictures", "--backbone", "embedded"), "holds other weights", "--backbone")
