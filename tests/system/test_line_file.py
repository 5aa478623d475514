import json
import multiprocessing
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmip.system import line_file
from bmip.system.line_file import LineFile, Mark

LINES = st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2), min_size=1, max_size=5)


def encoded(objects: list[dict[str, str]]) -> list[bytes]:
    return [json.dumps(one).encode() for one in objects]


def plain(content: bytes) -> list[bytes]:
    """The whole lines of a file, found in the slow and obvious way."""
    *whole, last = content.split(b"\n")
    try:
        json.loads(last)
    except ValueError:
        return whole
    return [*whole, last]


@given(LINES)
def test_a_file_torn_at_any_byte_is_mended(objects: list[dict[str, str]]) -> None:
    *_, last = lines = encoded(objects)
    content = b"".join(line + b"\n" for line in lines)
    with tempfile.TemporaryDirectory() as folder:
        file = LineFile(Path(folder) / "f")
        for cut in range(len(content) - len(last) - 1, len(content) + 1):
            file.path.write_bytes(content[:cut])
            kept = lines if cut >= len(content) - 1 else lines[:-1]
            assert file.read()[0] == kept == plain(content[:cut])
            assert file.is_cut_off() == (len(content) - len(last) - 1 < cut < len(content) - 1)
            file.append(b'{"new": 1}')
            assert file.path.read_bytes() == b"".join(line + b"\n" for line in [*kept, b'{"new": 1}'])


@given(LINES, st.data())
def test_reading_on_finds_the_same_lines(objects: list[dict[str, str]], data: st.DataObject) -> None:
    """However the file grows, also by parts of lines that are taken back, as an append does with a torn one."""
    content = b"".join(line + b"\n" for line in encoded(objects))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    with tempfile.TemporaryDirectory() as folder:
        file, known, mark = LineFile(Path(folder) / "f"), list[bytes](), None
        file.path.touch()
        for cut in [*cuts, len(content)]:
            with file.path.open("r+b") as stream:
                stream.truncate(min(cut, file.path.stat().st_size))
                stream.seek(0, os.SEEK_END)
                stream.write(content[stream.tell() : cut])
            lines, before, mark = file.read(mark)
            known = known[:before] + lines
            assert known == plain(content[:cut])
            assert mark.lines == len(known)


def test_lines_longer_than_a_block_are_found(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "f")
    long = json.dumps({"x": "y" * 3 * line_file.BLOCK}).encode()
    file.append(long)
    file.append(long)
    whole = file.path.read_bytes()
    file.path.write_bytes(whole[:-10])
    assert file.is_cut_off()
    file.append(b"{}")
    assert file.read()[0] == [long, b"{}"]


def test_an_append_reads_the_end_only(tmp_path: Path) -> None:
    """A file with a hole of a terabyte: nobody reads that."""
    file = LineFile(tmp_path / "f")
    with file.path.open("wb") as stream:
        stream.truncate(2**40)
        stream.seek(0, os.SEEK_END)
        stream.write(b'\n{"old": 1}\n{"to')
    file.append(b'{"new": 1}')
    assert not file.is_cut_off()
    with file.path.open("rb") as stream:
        stream.seek(2**40)
        assert stream.read() == b'\n{"old": 1}\n{"new": 1}\n'


def read_on(file: LineFile, mark: Mark) -> tuple[list[bytes], int]:
    lines, before, _ = file.read(mark)
    return lines, before


def test_a_file_that_did_not_just_grow_is_read_again(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "f")
    for line in (b'{"a": 1}', b'{"b": 2}'):
        file.append(line)
    _, _, mark = file.read()
    assert read_on(file, mark) == ([], 2)
    file.path.write_bytes(b'{"a": 1}\n')
    assert read_on(file, mark) == ([b'{"a": 1}'], 0), "a line was deleted"
    file.path.write_bytes(b'{"a": 1}\n{"b": 3}\n{"c": 4}\n')
    assert read_on(file, mark) == ([b'{"a": 1}', b'{"b": 3}', b'{"c": 4}'], 0), "a line was mended"
    file.path.write_bytes(b'{"a": 1}\n{"b": 2}\n')
    os.utime(file.path, ns=(0, mark.changed + 1))
    assert read_on(file, mark) == ([b'{"a": 1}', b'{"b": 2}'], 0), "written again with the same size"
    other = tmp_path / "other"
    other.write_bytes(b'{"a": 1}\n{"b": 2}\n{"c": 3}\n')
    other.replace(file.path)
    assert read_on(file, mark) == ([b'{"a": 1}', b'{"b": 2}', b'{"c": 3}'], 0), "another file has its name"


def test_what_was_no_end_of_a_line_is_read_again(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "f")
    file.path.write_bytes(b'{"a": 1}\n{"b": 2}')
    lines, _, mark = file.read()
    assert lines == [b'{"a": 1}', b'{"b": 2}'] and mark.is_open
    file.path.write_bytes(b'{"a": 1}\n{"b": 2} {"c": 3}\n')
    assert read_on(file, mark) == ([b'{"a": 1}', b'{"b": 2} {"c": 3}'], 0)
    file.path.write_bytes(b'{"a": 1}\n{"b": 2}')
    file.append(b'{"c": 3}')
    assert read_on(file, mark) == ([b'{"c": 3}'], 2)


def test_a_replacement_that_fails_changes_nothing(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "new" / "f")
    file.replace(lambda lines: [*lines, b"{}"])
    assert file.path.read_bytes() == b"{}\n"

    def change(lines: list[bytes]) -> list[bytes]:
        raise ValueError(f"{lines} would be lost")

    with pytest.raises(ValueError, match="would be lost"):
        file.replace(change)
    assert [one.name for one in file.path.parent.iterdir()] == ["f"]
    assert file.path.read_bytes() == b"{}\n"


def write(path: Path, process: int, count: int, started) -> None:
    file = LineFile(path)
    started.wait()
    for number in range(count):
        file.append(json.dumps({"process": process, "number": number, "padding": "x" * 5000}).encode())


def test_several_processes_append_at_once_while_one_reads_and_replaces(tmp_path: Path) -> None:
    context, count = multiprocessing.get_context("spawn"), 60
    path, started = tmp_path / "f", context.Barrier(4)
    writers = [context.Process(target=write, args=(path, process, count, started)) for process in range(3)]
    for writer in writers:
        writer.start()
    started.wait()
    file, known, mark, rounds = LineFile(path), list[bytes](), None, 0
    while any(writer.is_alive() for writer in writers):
        if path.exists():
            lines, before, mark = file.read(mark)
            known = known[:before] + lines
            rounds += 1
            if rounds % 10 == 0:
                file.replace(lambda lines: lines)
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    lines, before, _ = file.read(mark)
    known = known[:before] + lines
    assert known == path.read_bytes().splitlines()
    found = [json.loads(line) for line in known]
    for process in range(3):
        assert [one["number"] for one in found if one["process"] == process] == list(range(count))
