"""Commands that compute nothing do not import torch, and a wrong command line is refused before torch is imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bmip.cli import COMMANDS

CODE = """
import json, sys
from bmip.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as done:  # completion ends the process
    status = done.code
print(json.dumps([status, "torch" in sys.modules]), file=sys.stderr)
"""


def started(arguments: list[str], **environment: str) -> tuple[int, bool, str]:
    """The status, whether torch was imported, and stdout."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    status, torch = json.loads(done.stderr.splitlines()[-1])
    return status, torch, done.stdout


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "--version",
        "methods",
        "methods bmip",
        "methods bmip+promptsrc",
        "backbones",
        "data list",
        *(f"{name} --help" for name in COMMANDS),
        *(f"data {name} --help" for name in ("list", "check", "prepare")),
    ],
)
def test_what_computes_nothing_needs_no_torch(line: str) -> None:
    status, torch, out = started(line.split())
    assert (status, torch) == (0, False)
    assert out


def test_the_report_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").touch()
    assert started(["report", str(tmp_path / "results.jsonl")])[:2] == (2, False)


@pytest.mark.parametrize(
    "line",
    [
        "trian",
        "train --data digits --epochz 3",
        "train --data digits --epochs x",
        "train --data digits --epochs 0",
        "train --data digits --method bmpi",
        "train --data digits --preset relased",
        "train --data digits --set slotz=3",
        "train --data digits --set slots=x",
        "train --data digits --device tpu",
        "run base-to-nvel --method bmip",
        "run base-to-novel --method bmip maplee",
        "run base-to-novel --method bmip:relased",
        "run base-to-novel --method bmip --with promptsrcc",
        "run base-to-novel --method bmip --set slotz=3",
        "search --method bmpi --data digits",
        "demo --set slotz=3",
        "eval",
        "predict run",
        "methods bmpi",
        "data prepare dtdd --root x",
    ],
)
def test_a_wrong_command_line_is_refused_without_torch(line: str) -> None:
    assert started(line.split())[:2] == (2, False)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("bmip tra", {"train"}),
        ("bmip train --meth", {"--method"}),
        ("bmip train --method bm", {"bmip", "bmip+promptsrc", "bmip+coprompt", "bmip+maple"}),
        ("bmip train --method bmip --preset ", {"default", "released", "embedded"}),
        ("bmip train --method bmip --optimizer ", {"sgd", "adam"}),
        ("bmip train --data dig", {"digits"}),
        ("bmip train --backbone ViT-B", {"ViT-B/16", "ViT-B/32"}),
        ("bmip run ba", {"base-to-novel"}),
        ("bmip run base-to-novel --method zero-shot map", {"maple"}),
        ("bmip run base-to-novel --data digits oxford", {"oxford_pets", "oxford_flowers"}),
        ("bmip run base-to-novel --with prom", {"promptsrc"}),
        ("bmip methods kg", {"kgcoop"}),
        ("bmip data prepare dt", {"dtd"}),
    ],
)
def test_the_shell_completes_without_torch(words: str, found: set[str]) -> None:
    count = len(words.split(" ")) - 1
    status, torch, out = started([], _BMIP_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(count))
    assert (status, torch) == (0, False)
    assert set(out.split()) == found


def test_the_package_is_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bmip", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("bmip 0")
