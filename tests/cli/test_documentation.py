"""Commands in the documentation are commands."""

import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer

from bmip.cli import COMMANDS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: str) -> list[str]:
    """Lines of code blocks that call bmip; a backslash joins lines."""
    blocks = re.findall(r"^```(?:sh|bash|console|shell)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("bmip ")]


def parse(line: str) -> None:
    """Refuses a call that bmip would refuse, if it does not ask for help; `results FILE` is `results list FILE`."""
    _, name, *arguments = shlex.split(line, comments=True)
    assert name in COMMANDS, line
    if "--help" in arguments:
        return
    command = typer.main.get_command(importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}").app)
    if below := getattr(command, "commands", {}):
        if name == "results" and arguments[0] not in below:
            arguments = ["list", *arguments]
        name, *arguments = arguments
        assert name in below, line
        command = below[name]
    command.make_context(name, arguments, resilient_parsing=False)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_parse(document: Path) -> None:
    for line in commands(document.read_text(encoding="utf-8")):
        parse(line)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_help_parse(name: str) -> None:
    module = importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}")
    for registered in module.app.registered_commands:
        example = registered.epilog.removeprefix("Example: ")
        assert example.startswith(f"bmip {name}")
        parse(example)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("bmip report r.jsonl --nonsense", "No such option: --nonsense"),
        ("bmip data prepare dtd --nonsense 3", "No such option: --nonsense"),
        ("bmip results merge r.jsonl --nonsense", "No such option: --nonsense"),
        ("bmip results r.jsonl --nonsense", "No such option: --nonsense"),
        ("bmip data prepair dtd", "bmip data prepair dtd"),
        ("bmip trian", "bmip trian"),
    ],
)
def test_what_bmip_would_refuse_does_not_parse(line: str, message: str) -> None:
    with pytest.raises(Exception, match=message):
        parse(line)


def test_the_readme_shows_the_quickstart_that_the_tests_run() -> None:
    example = (ROOT / "examples" / "quickstart.py").read_text().strip()
    assert f"```python\n{example}\n```" in (ROOT / "README.md").read_text()
