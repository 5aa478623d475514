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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_commands_parse(document: Path) -> None:
    for line in commands(document.read_text(encoding="utf-8")):
        _, name, *arguments = shlex.split(line, comments=True)
        assert name in COMMANDS, line
        if "--help" in arguments:
            continue
        module = importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}")
        typer.main.get_command(module.app).make_context(name, arguments, resilient_parsing=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_in_help_parse(name: str) -> None:
    module = importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}")
    for registered in module.app.registered_commands:
        _, called, *arguments = shlex.split(registered.epilog.removeprefix("Example: "))
        assert called == name
        given = arguments
        if len(module.app.registered_commands) > 1:
            command, given = typer.main.get_group(module.app).commands[given[0]], given[1:]
        else:
            command = typer.main.get_command(module.app)
        command.make_context(name, given, resilient_parsing=False)


def test_the_readme_shows_the_quickstart_that_the_tests_run() -> None:
    example = (ROOT / "examples" / "quickstart.py").read_text().strip()
    assert f"```python\n{example}\n```" in (ROOT / "README.md").read_text()
