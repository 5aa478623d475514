"""`bmip pretrain`: settings that make no run are refused in one line, before anything is made."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("option", "part"),
    [
        ("--context 1", "context is 1"),
        ("--heads 0", "heads is 0"),
        ("--richest-at 0", "richest_at is 0"),
        ("--device nope", "no device 'nope'"),
    ],
)
def test_settings_that_make_no_run_are_refused_in_one_line(cli: Cli, option: str, part: str) -> None:
    found = cli("pretrain", "--out", "run", *option.split())
    assert (found.status, found.out) == (2, "")
    assert found.err.splitlines()[-1].startswith("Error: ") and part in found.err.splitlines()[-1]
    assert "Traceback" not in found.err
    assert not Path("run").exists() or not list(Path("run").iterdir())


def test_a_damaged_checkpoint_is_refused_in_one_line(cli: Cli) -> None:
    Path("run").mkdir()
    Path("run/checkpoint.pt").write_bytes(b"PK\3\4 cut short")
    found = cli("pretrain", "--out", "run", "--shallow-steps", "1", "--deep-steps", "0")
    assert (found.status, found.out) == (2, "")
    assert "delete it to begin the run anew" in found.err.splitlines()[-1]
    assert "Traceback" not in found.err
