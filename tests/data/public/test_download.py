import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmip.data.dataset import DataError
from bmip.data.public.download import CHUNK, fetch
from tests.data.public.server import Site, serving

CONTENT = random.Random(0).randbytes(300_000)
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving() as site:
        site.files["/a.zip"] = CONTENT
        yield site


def get(site: Site, file: Path, **options) -> None:
    fetch(f"{site.address}/a.zip", file, **{"size": len(CONTENT), "checksum": MD5, "pause": 0.0, **options})


def left(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_arrives_with_progress(site: Site, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    get(site, tmp_path / "new/a.zip", progress=lambda done, total: told.append((done, total)))
    assert (tmp_path / "new/a.zip").read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert left(tmp_path / "new") == ["a.zip"]
    get(site, tmp_path / "new/a.zip")
    assert site.asked == [None]


def test_what_broke_off_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    site.breaks_after = [100_001, 50_000]
    get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100001-", "bytes=150001-"]


def test_a_later_call_goes_on(site: Site, tmp_path: Path) -> None:
    site.breaks_after = [100_000] + [0] * 20
    with pytest.raises(DataError, match=r"cannot be fetched .it broke off., 100,000 bytes are there: call again"):
        get(site, tmp_path / "a.zip")
    assert left(tmp_path) == ["a.zip.part", "a.zip.part.tag"]
    site.breaks_after, site.asked = [], []
    get(site, tmp_path / "a.zip")
    assert site.asked == ["bytes=100000-"]
    assert left(tmp_path) == ["a.zip"]


def test_a_server_without_parts_starts_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.breaks_after = False, [100_000]
    get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"x" * 1000)
    (tmp_path / "a.zip.part.tag").write_text('"older"')
    get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_another_part_than_was_asked_for(site: Site, tmp_path: Path) -> None:
    site.shifted, site.breaks_after = True, [100_000, 0]
    get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_part_that_is_whole_or_too_long(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    (tmp_path / "b.zip.part").write_bytes(CONTENT + b"more")
    get(site, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_bytes() == CONTENT


def test_the_wrong_bytes_are_removed(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"] = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(DataError, match=r"gave another file than the published one \(its md5 is .*, not"):
        get(site, tmp_path / "a.zip")
    assert left(tmp_path) == []
    site.files["/a.zip"] = b"\n<!doctype html>Please log in"
    with pytest.raises(DataError, match="it is a web page"):
        get(site, tmp_path / "a.zip")


def test_a_file_that_is_there_is_checked(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"the user's own")
    with pytest.raises(DataError, match=r"a.zip is not what http.* gives \(its md5 is .*: move it elsewhere"):
        get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == b"the user's own"
    (tmp_path / "a.zip").unlink()
    get(site, tmp_path / "a.zip", checksum=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


@pytest.mark.parametrize("claims", [200_000, 400_000])
def test_a_size_that_is_not_true(site: Site, tmp_path: Path, claims: int) -> None:
    site.claims, site.ranges = claims, False
    with pytest.raises(DataError, match=r"gave another file|cannot be fetched"):
        get(site, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_much_longer_file_is_not_fetched_to_its_end(site: Site, tmp_path: Path, chunked: bool) -> None:
    site.chunked, site.files["/a.zip"] = chunked, bytes(5 * CHUNK)
    with pytest.raises(DataError, match=r"and about 1,000 are published: it is another file"):
        get(site, tmp_path / "a.zip", size=1000)
    held = tmp_path / "a.zip.part"
    assert not held.exists() or held.stat().st_size <= 2 * 1000 + 2 * CHUNK


def test_without_a_length_the_checksum_decides(site: Site, tmp_path: Path) -> None:
    site.chunked = True
    get(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    site.breaks_after = [5000]
    with pytest.raises(DataError, match="gave another file"):
        get(site, tmp_path / "b.zip")


def test_errors_of_the_server(site: Site, tmp_path: Path) -> None:
    site.errors = [503, 500, 429, 408]
    get(site, tmp_path / "a.zip")
    with pytest.raises(DataError, match="absent answers 404 Not Found: fetch it by hand, to "):
        fetch(f"{site.address}/absent", tmp_path / "b", size=1)
    site.errors = [503] * 9
    with pytest.raises(DataError, match=r"cannot be fetched .503"):
        get(site, tmp_path / "b.zip")


def test_each_further_try_is_told_and_waited_for(site: Site, tmp_path: Path) -> None:
    waited: list[float] = []
    told: list[str] = []
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch("http://127.0.0.1:1/a", tmp_path / "a", size=1, pause=3.0, note=told.append, sleep=waited.append)
    assert waited == [3.0, 6.0, 12.0, 24.0]
    assert [text.rpartition(": ")[2] for text in told] == [f"trying again in {pause:g} seconds" for pause in waited]
    waited.clear()
    told.clear()
    site.breaks_after, site.errors = [100_000], [503]
    get(site, tmp_path / "a.zip", pause=3.0, note=told.append, sleep=waited.append)
    assert waited == [3.0, 0]
    assert told[0].endswith("(503 Service Unavailable), 0 bytes are there: trying again in 3 seconds")
    assert told[1].endswith("(it broke off), 100,000 bytes are there: trying again")


def test_nobody_there_and_other_addresses(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be fetched"):
        fetch("http://127.0.0.1:1/a", tmp_path / "a", size=1, pause=0.0)
    (tmp_path / "secret").write_text("x")
    with pytest.raises(DataError, match="is no address on the web"):
        fetch(f"file://{tmp_path}/secret", tmp_path / "a", size=1)


def test_a_disk_that_is_full(site: Site, tmp_path: Path) -> None:
    site.chunked = True
    with pytest.raises(DataError, match=r"has 1,000,000,000,000,000,000 bytes, and [0-9,]+ are free at .*: make room"):
        get(site, tmp_path / "a.zip", size=10**18)
