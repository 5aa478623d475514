import shutil
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bmip.data.checks import QUIET, same_content, unreadable
from bmip.data.images import check_image
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


def test_readable_files_are_remembered_until_they_change(make_folder, cache: Path) -> None:
    folder = make_folder("pets", {"cat": 3})
    paths = ["cat/0.png", "cat/1.png", "cat/2.png", "cat/absent.png"]
    looked: list[str] = []

    def check(path: Path) -> str | None:
        looked.append(path.name)
        return check_image(path)

    assert list(unreadable(folder, paths, cache, check=check)) == ["cat/absent.png"]
    assert sorted(looked) == ["0.png", "1.png", "2.png", "absent.png"]
    looked.clear()
    (folder / "cat" / "1.png").write_text("no picture")
    assert list(unreadable(folder, paths, cache, check=check)) == ["cat/1.png", "cat/absent.png"]
    assert list(unreadable(folder, paths, cache, check=check)) == ["cat/1.png", "cat/absent.png"]
    assert sorted(looked) == ["1.png", "1.png", "absent.png", "absent.png"]


def test_files_that_another_call_looked_at_stay_remembered(make_folder, cache: Path) -> None:
    folder = make_folder("pets", {"cat": 4})
    looked: list[str] = []
    for _ in range(2):
        for paths in (["cat/0.png", "cat/1.png"], ["cat/2.png", "cat/3.png"]):
            assert unreadable(folder, paths, cache, check=lambda path: looked.append(path.name)) == {}
    assert looked == ["0.png", "1.png", "2.png", "3.png"]


def test_a_memory_that_cannot_be_kept_or_read_does_no_harm(make_folder, tmp_path: Path, cache: Path) -> None:
    folder = make_folder("pets", {"cat": 1})
    (tmp_path / "taken").write_text("a file where the cache should be")
    assert unreadable(folder, ["cat/0.png"], tmp_path / "taken") == {}
    assert unreadable(folder, ["cat/0.png"], cache) == {}
    (memory,) = (cache / "readable").iterdir()
    for damaged in ("{", "[]"):
        memory.write_text(damaged)
        assert unreadable(folder, ["cat/0.png"], cache) == {}


@pytest.mark.parametrize("files", [QUIET - 1, QUIET])
def test_many_files_show_progress(tmp_path: Path, cache: Path, files: int) -> None:
    stream = StringIO()
    paths = [f"{index}.png" for index in range(files)]
    console = Console(file=stream, force_terminal=True)
    assert unreadable(tmp_path, paths, cache, check=lambda path: None, console=console) == {}
    assert ("Checking the images" in stream.getvalue()) == (files >= QUIET)


def test_the_same_content_under_other_names(make_folder) -> None:
    folder = make_folder("pets", {"cat": 3, "dog": 2})
    shutil.copy(folder / "cat" / "1.png", folder / "dog" / "7.png")
    paths = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*.png"))]
    assert same_content(folder, paths) == [["cat/1.png", "dog/7.png"]]
