import os
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from bmip.data import checks as checking
from bmip.data.checks import same_content, unreadable
from bmip.system.files import cache_folder


def test_where_things_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMIP_CACHE", "/one")
    monkeypatch.setenv("XDG_CACHE_HOME", "/two")
    monkeypatch.setenv("HOME", "/three")
    assert cache_folder() == Path("/one")
    monkeypatch.delenv("BMIP_CACHE")
    assert cache_folder() == Path("/two/bmip")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/three/.cache/bmip")


def test_readable_files_are_remembered_until_they_change(make_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder("pets", {"cat": 3})
    paths = ["cat/0.png", "cat/1.png", "cat/2.png", "cat/absent.png"]
    looked: list[str] = []
    real = checking.check_image
    monkeypatch.setattr(checking, "check_image", lambda path: (looked.append(path.name), real(path))[1])
    assert list(unreadable(folder, paths)) == ["cat/absent.png"]
    assert sorted(looked) == ["0.png", "1.png", "2.png", "absent.png"]
    looked.clear()
    (folder / "cat" / "1.png").write_text("no picture")
    assert list(unreadable(folder, paths)) == ["cat/1.png", "cat/absent.png"]
    assert list(unreadable(folder, paths)) == ["cat/1.png", "cat/absent.png"]
    assert sorted(looked) == ["1.png", "1.png", "absent.png", "absent.png"]


def test_a_memory_that_cannot_be_kept_or_read_does_no_harm(make_folder, tmp_path: Path) -> None:
    folder = make_folder("pets", {"cat": 1})
    (tmp_path / "taken").write_text("a file where the cache should be")
    assert unreadable(folder, ["cat/0.png"], tmp_path / "taken") == {}
    assert unreadable(folder, ["cat/0.png"]) == {}
    (memory,) = (cache_folder() / "readable").iterdir()
    memory.write_text("{")
    assert unreadable(folder, ["cat/0.png"]) == {}


def test_many_files_show_progress(make_folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_folder("pets", {"cat": 3})
    monkeypatch.setattr(checking, "QUIET", 2)
    with (Path(os.devnull)).open("w") as sink:
        monkeypatch.setattr(checking, "Console", lambda stderr: Console(file=sink, force_terminal=True, record=True))
        assert unreadable(folder, [f"cat/{index}.png" for index in range(3)]) == {}


def test_the_same_content_under_other_names(make_folder) -> None:
    folder = make_folder("pets", {"cat": 3, "dog": 2})
    shutil.copy(folder / "cat" / "1.png", folder / "dog" / "7.png")
    paths = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*.png"))]
    assert same_content(folder, paths) == [["cat/1.png", "dog/7.png"]]
