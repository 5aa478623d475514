"""The page of the command line, as Markdown, from the program itself."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import Any

import typer

from bmip.cli import COMMANDS


def command_line() -> str:
    """What each command does, its example, and its arguments and options, in the order of `bmip --help`."""
    return "\n".join(line for name in COMMANDS for command in _commands(name) for line in command)


def _commands(name: str) -> Iterator[list[str]]:
    app = importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}").app
    command: Any = typer.main.get_command(app)
    for below, one in getattr(command, "commands", {"": command}).items():
        yield _section(f"bmip {name} {below}".strip(), one)


def _section(title: str, command: Any) -> list[str]:
    context = command.make_context(title, [], resilient_parsing=True)
    lines = [f"\n## {title}\n", command.help, "", "```sh", command.epilog.removeprefix("Example: "), "```\n"]
    groups: dict[str, list[str]] = {}
    for one in command.get_params(context):
        if one.name != "help":
            group = "argument" if one.param_type_name == "argument" else "option"
            panel = one.rich_help_panel or ""
            written, meaning = one.get_help_record(context)
            groups.setdefault(f"{panel}: {group}" if panel else group, []).append(
                f"| `{_cell(written)}` | {_cell(meaning)} |"
            )
    for heading, rows in groups.items():
        lines += [f"| {heading} | meaning |", "|---|---|", *rows, ""]
    return lines


def _cell(text: str) -> str:
    """As it stands in a table of Markdown; the program's help escapes brackets, which rich would take for a style."""
    text = re.sub(r"\s+", " ", text.replace("\\[", "[").strip())
    return text.replace("|", "\\|")
