"""Commands that compute nothing do not import torch, and a wrong command line is refused before torch is imported."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable

from bmip.cli import COMMANDS
from tests.cli.conftest import Cli

CODE = """
import contextlib, io, json, os, sys
from bmip.cli import main
found = []
for arguments, environment in json.load(sys.stdin):
    os.environ |= environment
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        try:
            status = main(arguments)
        except SystemExit as done:  # completion ends the process
            status = done.code
    for name in environment:
        del os.environ[name]
    found.append([status, "torch" in sys.modules, out.getvalue()])
print(json.dumps(found))
"""


def started(lines: Iterable[list[str]], *environments: dict[str, str]) -> list[tuple[int, bool, str]]:
    """For each command line in turn the status, whether torch is imported by then, and stdout; all in one process."""
    lines = list(lines)
    given = json.dumps([*zip(lines, environments or [{}] * len(lines), strict=True)])
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=True)
    return [tuple(found) for found in json.loads(done.stdout)]


NEED_NO_TORCH = (
    "--help",
    "--version",
    "methods",
    "methods bmip",
    "methods bmip+promptsrc",
    "backbones",
    "data list",
    *(f"{name} --help" for name in COMMANDS),
    *(f"data {name} --help" for name in ("list", "check", "prepare")),
    "results merge --help",
)


def test_what_computes_nothing_needs_no_torch() -> None:
    for line, (status, torch, out) in zip(NEED_NO_TORCH, started(map(str.split, NEED_NO_TORCH)), strict=True):
        assert (status, torch) == (0, False), line
        assert out, line


def test_help_shows_what_stands_for_a_value(cli: Cli) -> None:
    for name in COMMANDS:
        for words in ([name], *([name, below] for below in ("check", "prepare", "list") if name == "data")):
            assert not re.findall(r"<(?:bool|str|int|float|path|list.*?)>", cli(*words, "--help").out), words
    told = cli("train", "--help").out.split()
    assert [told[told.index(option) + 1] for option in ("--root", "--cache", "--class-names")] == ["DIR", "DIR", "FILE"]


WRONG = (
    "trian",
    "train --data digits --epochz 3",
    "train --data digits --epochs x",
    "train --data digits --epochs 0",
    "train --data digits --method bmpi",
    "train --data digits --preset relased",
    "train --data digits --set slotz=3",
    "train --data digits --set slots=x",
    "train --data digits --device tpu",
    "train --data digts",
    "run base-to-nvel --method bmip",
    "run base-to-novel --method bmip maplee",
    "run base-to-novel --method bmip:relased",
    "run base-to-novel --method bmip --with promptsrcc",
    "run base-to-novel --method bmip --set slotz=3",
    "run base-to-novel --method bmip --lr -1",
    "run base-to-novel --method bmip --base 1.5",
    "run base-to-novel --method bmip --base absent",
    "run base-to-novel --method bmip --data digits digts",
    "run cross-dataset --method bmip --data things --targets digts",
    "search --method bmpi --data digits",
    "search --method bmip --data digts",
    "search --method bmip --data digits --precision float8",
    "demo --set slotz=3",
    "demo --data digts",
    "demo --batch 0",
    "eval",
    "eval run --data digts",
    "eval run --classes-file absent.txt",
    "predict run",
    "predict run picture.png --classes-file absent.txt",
    "predict run picture.png --format cvs",
    "predict run picture.png --unknown 2",
    "predict run picture.png --unknown x",
    "import-checkpoint absent.pt --method maple --classes red,blue",
    "export run --to onx --out x",
    "embed run picture.png",
    "explain run picture.png --classes red",
    "explain run picture.png --out picture.tiff",
    "serve run --port 70000",
    "serve run --max-images 0",
    "serve run --token-file absent",
    "embed run picture.png --out features.txt",
    "export run --to onnx",
    "export run --to onnxx --out x",
    "export run --to torch --int8 --out x",
    "export run --to onnx --data digits --out x",
    "export run --to onnx --int8 --data digts --out x",
    "calibrate run --data digts",
    "calibrate run --false-alarms 0",
    "calibrate run --score logit",
    "report absent.jsonl",
    "results absent.jsonl --to cvs --out x",
    "results absent.jsonl --to csv",
    "results merge absent.jsonl",
    "methods bmpi",
    "data check digts",
    "data prepare dtdd --root x",
)


def test_a_wrong_command_line_is_refused_without_torch() -> None:
    for line, (status, torch, _) in zip(WRONG, started(map(str.split, WRONG)), strict=True):
        assert (status, torch) == (2, False), line


COMPLETED = {
    "bmip tra": {"train"},
    "bmip train --meth": {"--method"},
    "bmip train --method bm": {"bmip", "bmip+promptsrc", "bmip+coprompt", "bmip+maple"},
    "bmip train --method bmip --preset ": {"default", "released", "embedded"},
    "bmip train --method bmip --optimizer ": {"sgd", "adam", "adamw"},
    "bmip train --data dig": {"digits"},
    "bmip train --backbone ViT-B": {"ViT-B/16", "ViT-B/32"},
    "bmip run ba": {"base-to-novel"},
    "bmip run base-to-novel --method zero-shot map": {"maple"},
    "bmip run base-to-novel --data digits oxford": {"oxford_pets", "oxford_flowers"},
    "bmip run base-to-novel --with prom": {"promptsrc"},
    "bmip methods kg": {"kgcoop"},
    "bmip results r.jsonl --meth": {"--method"},
    "bmip results r.jsonl --protocol few": {"few-shot"},
    "bmip results r.jsonl --to ": {"csv", "parquet", "latex", "json"},
    "bmip predict r a.png --form": {"--format"},
    "bmip predict r a.png --format ": {"table", "jsonl", "csv"},
    "bmip results merge r.jsonl --o": {"--out"},
    "bmip data prepare dt": {"dtd"},
    "bmip import-checkpoint m.pt --method map": {"maple"},
    "bmip export r --to ": {"onnx", "torch", "linear", "dassl"},
}


def test_the_shell_completes_without_torch() -> None:
    each = [
        {"_BMIP_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        for words in COMPLETED
    ]
    for words, (status, torch, out) in zip(COMPLETED, started([[]] * len(each), *each), strict=True):
        assert (status, torch) == (0, False), words
        assert set(out.split()) == COMPLETED[words], words


def test_the_package_is_a_command() -> None:
    command = [sys.executable, "-m", "bmip", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.startswith("bmip 0")
