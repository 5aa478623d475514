import os
import resource
from pathlib import Path

import pytest

from bmip.system.files import write_bytes, writing


def test_a_write_that_fails_names_the_file(tmp_path: Path) -> None:
    """The system itself refuses files that are longer than a limit, without naming them, as with a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    write_bytes(tmp_path / "state", b"old")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match=f"File too large: '{tmp_path}/state'"):
            write_bytes(tmp_path / "state", b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("state", b"old")]


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "state", b"old")
    finally:
        os.umask(before)
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o640
    (tmp_path / "state").chmod(0o664)
    (tmp_path / "link").symlink_to("state")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "state").read_bytes() == b"new"
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o664
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk() -> None:
    with pytest.raises(OSError, match="No space left on device: 'results'"), writing(Path("results")):
        Path("/dev/full").write_text("x")


def test_errors_without_a_number_keep_their_text() -> None:
    with pytest.raises(OSError, match=r"^damaged$"), writing(Path("results")):
        raise OSError("damaged")
