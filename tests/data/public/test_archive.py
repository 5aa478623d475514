import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from bmip.data.dataset import DataError
from bmip.data.public.archive import sweep_unpacked, unpack

FILES = {"dtd/images/a/1.jpg": b"one", "dtd/images/b/2.jpg": b"two", "dtd/labels/l.txt": b"l", "other.txt": b"o"}


def packed(archive: Path, files: dict[str, bytes]) -> Path:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            for name, content in files.items():
                file.writestr(name, content)
    else:
        with tarfile.open(archive, "w" if archive.suffix == ".tar" else "w:gz") as file:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), 0o777
                file.addfile(member, io.BytesIO(content))
    return archive


def found(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.zip"])
def test_what_is_wanted_is_put_in_place(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path / name, FILES)
    unpack(archive, tmp_path / "root", "images", inside="dtd/images")
    assert found(tmp_path / "root") == {"images/a/1.jpg": b"one", "images/b/2.jpg": b"two"}
    assert not (tmp_path / "root/images/a/1.jpg").stat().st_mode & 0o111
    unpack(archive, tmp_path / "whole", "all")
    assert found(tmp_path / "whole/all") == FILES


def test_it_joins_what_is_there_and_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "root/labels").mkdir(parents=True)
    (tmp_path / "root/labels/own.txt").write_bytes(b"own")
    unpack(packed(tmp_path / "a.tar", FILES), tmp_path / "root", "", inside="dtd")
    assert found(tmp_path / "root") == {
        "images/a/1.jpg": b"one",
        "images/b/2.jpg": b"two",
        "labels/own.txt": b"own",
    }


def test_what_a_killed_process_unpacked_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".unpacking-abc/images").mkdir(parents=True)
    (tmp_path / ".unpacking-abc/images/1.jpg").write_bytes(b"one")
    (tmp_path / "images").mkdir()
    sweep_unpacked(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["images"]


def refused(archive: Path, message: str, inside: str = "") -> None:
    root = archive.parent / "root"
    with pytest.raises(DataError, match=message):
        unpack(archive, root, "images", inside=inside)
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("kind", ["a.tar", "a.zip"])
@pytest.mark.parametrize("name", ["../evil", "x/../../evil", "/evil", "..\\evil", "C:/evil", "."])
def test_paths_that_lead_out(tmp_path: Path, kind: str, name: str) -> None:
    archive = packed(tmp_path / kind, {"good.jpg": b"x", name: b"evil"})
    refused(archive, "a path that leads out of it; nothing was unpacked")
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices(tmp_path: Path, kind: bytes) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        member = tarfile.TarInfo("link")
        member.type, member.linkname = kind, "/etc/passwd"
        file.addfile(member)
    refused(tmp_path / "a.tar", "'link', a link or a device")


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        member = zipfile.ZipInfo("link")
        member.external_attr = 0o120777 << 16
        file.writestr(member, "/etc")
    refused(tmp_path / "a.zip", "'link', a link")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.zip"])
def test_damaged_archives(tmp_path: Path, name: str) -> None:
    noise = {f"{index}.jpg": bytes(range(256)) * 40 for index in range(20)}
    archive = packed(tmp_path / name, noise)
    content = archive.read_bytes()
    for damaged in (content[: len(content) // 2], b"<html>", b""):
        archive.write_bytes(damaged)
        refused(archive, "is damaged or no archive")


def test_another_archive(tmp_path: Path) -> None:
    refused(packed(tmp_path / "a.zip", FILES), "holds nothing below food-101/images", "food-101/images")


def test_an_archive_that_swells(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb", bytes(8_000_000))
    refused(tmp_path / "a.zip", "swells to 200 times its size")
