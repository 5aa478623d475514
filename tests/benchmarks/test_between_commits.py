import subprocess
from pathlib import Path

import pytest

from benchmarks import between_commits


def test_the_present_state_is_told_with_changes_that_are_in_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(between_commits, "ROOT", tmp_path)
    for name in ("src/bmip/a.py", "benchmarks/b.py", "benchmarks/b.md", "docs/c.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("first")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a subject"]):
        subprocess.run([*git, *command], check=True)
    commit = between_commits.present()
    assert commit.endswith(" (a subject)")
    for name in ("benchmarks/b.md", "docs/c.md"):
        (tmp_path / name).write_text("second")
    assert between_commits.present() == commit, "neither is measured"
    for name in ("src/bmip/a.py", "benchmarks/b.py", "src/bmip/new.py"):
        (tmp_path / name).write_text("second")
        assert between_commits.present() == f"{commit} and uncommitted changes", name
        subprocess.run([*git, "stash", "-q", "-u"], check=True)
