import json
import platform
import re
import subprocess
from pathlib import Path

import pytest
import torch

import bmip
from bmip.system.environment import code, environment


def test_it_says_what_a_result_depends_on() -> None:
    found = environment()
    assert found["torch"] == torch.__version__
    assert (found["device"], found["gpu"], found["threads"]) == ("cpu", None, torch.get_num_threads())
    assert found["processor"] and found["cores"] >= 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="no Linux")
def test_the_memory_is_that_of_the_machine() -> None:
    (kilobytes,) = re.findall(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    assert environment()["memory"] == 1024 * int(kilobytes)


def test_it_names_neither_host_nor_folder() -> None:
    found = environment()
    assert platform.node() not in found.values()
    assert str(Path.home()) not in json.dumps(found)


def test_an_environment_names_a_commit_only_of_its_own_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed copy may lie below the checkout of another project."""
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a", "commit", "-q", "--allow-empty", "-m", "a"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    installed = tmp_path / "venv" / "bmip" / "__init__.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("")
    monkeypatch.setattr(bmip, "__file__", str(installed))
    assert code.__wrapped__() == {"commit": None, "dirty": None}
    subprocess.run(["git", "-C", str(tmp_path), "add", "-f", str(installed)], check=True)
    found = code.__wrapped__()
    assert found["dirty"] is True and len(found["commit"]) == 40
    (tmp_path / "beside.txt").write_text("no part of the package")
    commit = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a", "commit", "-q", "-m"]
    subprocess.run([*commit, "b"], check=True)
    assert code.__wrapped__()["dirty"] is False and code.__wrapped__()["commit"] != found["commit"]
    subprocess.run(["git", "-C", str(tmp_path), "add", "beside.txt"], check=True)
    assert code.__wrapped__()["dirty"] is False
    code.cache_clear()
    try:
        before = code()
        subprocess.run([*commit, "c"], check=True)
        assert code() == before != code.__wrapped__(), "the commit at which the process began"
    finally:
        code.cache_clear()
