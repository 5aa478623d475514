"""`bmip serve` as a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bmip.class_names import ClassNames
from bmip.cli import main
from bmip.cli import serve as command
from bmip.clip.loading.load import load_clip
from bmip.methods import build_model
from bmip.serving import server
from bmip.serving.server import listen
from bmip.testing.tiny import COLOURS
from tests.serving.conftest import images, png, served
from tests.small import backbone_folder

MINE = ("--port", "0", "--threads", "1", "--device", "cpu")


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen
    line: str
    """The first line that it printed."""

    client: httpx.Client


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    clip = load_clip(backbone_folder(folder / "clip"))
    build_model("bmip", {"depth": 2}, clip, ClassNames(tuple(COLOURS)), seed=1).save_pretrained(folder / "prompts")
    return folder / "prompts"


@contextmanager
def running(prompts: Path, folder: Path, *options: str) -> Iterator[Running]:
    for name in ("home", "tmp", "work"):
        (folder / name).mkdir()
    places = {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "BMIP_CACHE": str(folder / "home" / "cache")}
    given = (str(prompts), "--backbone", str(prompts.parent / "clip"), *MINE, *options)
    process = subprocess.Popen(
        [sys.executable, "-m", "bmip", "serve", *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder / "work",
        env={**os.environ, **places, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        port = re.search(r":(\d+)/", line)
        assert port, process.communicate(timeout=60)
        with httpx.Client(base_url=f"http://127.0.0.1:{port[1]}", timeout=60) as client:
            yield Running(process, line, client)
    finally:
        process.kill()
        process.communicate(timeout=60)


def written(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


def test_from_start_to_end(prompts: Path, tmp_path: Path) -> None:
    before = written(prompts.parent)
    with running(prompts, tmp_path) as one:
        assert re.fullmatch(rf"serving {prompts} at http://127\.0\.0\.1:\d+/\n", one.line)
        large = png(size=(900, 900))
        assert len(large) > 2**20  # such a file goes to disk on its way
        answer = one.client.post("/api/predict", files=images(large), data={"classes": ["red", "a dog"]})
        assert {score["class"] for score in answer.json()["predictions"][0]["scores"]} == {"red", "a dog"}
        assert one.client.post("/api/explain", files={"image": png()}).headers["content-type"] == "image/png"
        assert {Path(name).parts[0] for name in written(tmp_path)} == {"home", "tmp", "work"}
        example = one.client.get("/api/model").json()["examples"][0]
        assert one.client.get(example["url"]).content.startswith(b"\x89PNG")
        one.process.send_signal(signal.SIGINT)
        assert one.process.wait(60) == 0
        assert one.process.stderr is not None
        assert one.process.stderr.read().splitlines() == ["Ctrl-C ends it", "ended"]
    assert written(tmp_path) == {"home", "tmp", "work"}  # nothing is left, and nothing lies elsewhere
    assert written(prompts.parent) == before


def test_other_machines_need_a_token(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each way to open the server, and what a request without token and one with the token get."""
    file = tmp_path / "token"
    file.write_text("from-a-file-0123456789\n")
    found: list[tuple[int, ...]] = []

    def asked(app: Any, listening: socket.socket) -> None:
        printed, told = capfd.readouterr()
        assert ("0.0.0.0 stands for every address of this machine" in told) == ("http://0.0.0.0:" in printed)
        shown = re.search(r"\?token=([\w-]+)", printed)
        token = shown[1] if shown else file.read_text().strip()
        assert len(token) >= 22 and ("from-a-file" in token) == (shown is None)
        with served(app, listening) as address, httpx.Client(base_url=address, timeout=60) as client:
            known = {"authorization": f"Bearer {token}"}
            sent = ({}, known, {**known, "host": "pets.example"}, {**known, "host": "evil.example"})
            found.append(tuple(client.get("/api/model", headers=headers).status_code for headers in sent))

    monkeypatch.setattr(server, "run", asked)
    given = ("serve", prompts, "--backbone", prompts.parent / "clip", *MINE)
    for options in (
        ("--host", "0.0.0.0"),
        ("--allow-host", "pets.example"),
        ("--host", "0.0.0.0", "--allow-host", "pets.example", "--token-file", file),
        ("--token-file", file),
        ("--allow-host", "PETS.example:8443"),
    ):
        assert main([str(one) for one in (*given, *options)]) == 0
    assert [own[2] for own in found] == [403, 200, 200, 403, 200]
    assert {(none, known, evil) for none, known, _, evil in found} == {(401, 200, 403)}


def refused(capfd: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capfd.readouterr()
    assert main(["serve", *map(str, arguments)]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("Error: ") and "Traceback" not in err
    return err


def test_what_cannot_be_served(prompts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(capfd, prompts, "--port", str(port))
    assert f"port {port} of 127.0.0.1 cannot be had" in said and "--port (0 takes a free one)" in said
    assert "there is no checkpoint" in refused(capfd, tmp_path / "absent", "--port", "0")
    (tmp_path / "token").write_text("short\n")
    assert "16 to 200 letters" in refused(capfd, prompts, "--port", "0", "--token-file", tmp_path / "token")
    (tmp_path / "token").write_text("\n")
    assert "is empty" in refused(capfd, prompts, "--port", "0", "--token-file", tmp_path / "token")
    (tmp_path / "token").write_bytes(b"\x89PNG\xff")
    assert "token is no text" in refused(capfd, prompts, "--port", "0", "--token-file", tmp_path / "token")
    assert "give a name alone" in refused(capfd, prompts, "--port", "0", "--allow-host", "https://pets.example/")
    assert "cannot be had" in refused(capfd, prompts, "--port", "0", "--host", "no.such.host.invalid")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_every_address_is_of_both_kinds() -> None:
    with closing(listen("::", 0)) as listening:
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, listening.getsockname()[1]), timeout=10).close()


def test_without_the_extra_it_says_what_to_install(
    prompts: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "uvicorn" else object())
    assert "bmip serve needs uvicorn: pip install 'bmip[serve]'" in refused(capfd, prompts)
