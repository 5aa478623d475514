"""How results look in a terminal, whatever they are about."""

import io

import pytest
from rich.console import Console

from bmip.cli.console import add, note, table


def printed(shown: object, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(shown)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_a_title_may_be_wider_than_its_table() -> None:
    shown = table("class", "right", title="bmip on the test images of some pictures of mine")
    add(shown, "cat", "3")
    lines = printed(shown, 60)
    assert lines[0] == "bmip on the test images of some pictures of mine"
    assert printed(shown, 60) == lines, "and may be printed again"
    assert [line.strip() for line in printed(shown, 30)[:2]] == ["bmip on the test images of", "some pictures of mine"]


def test_control_characters_of_names_are_seen_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    shown = table("image")
    add(shown, "red\x1b[31m\n.png [bold]")
    assert any(line.strip() == r"red\x1b[31m\n.png [bold]" for line in printed(shown, 60))
    note("not read: a\x1bb.png")
    assert capsys.readouterr().err == "not read: a\\x1bb.png\n"


def test_long_cells_are_folded_and_nothing_of_them_is_lost() -> None:
    """Two paths that begin alike must not look the same."""
    found = []
    for name in ("first", "second"):
        shown = table("image", "class")
        add(shown, f"holiday-pictures-of-the-summer-2024/{name}.png", "cat")
        found.append("".join(printed(shown, 30)))
    assert found[0] != found[1] and "…" not in "".join(found)
