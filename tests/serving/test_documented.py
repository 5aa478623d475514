"""What docs/deploying.md says of the server is true: its commands run, and its tables are those of the code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from bmip.serving.app import REFUSALS
from bmip.serving.limits import Limits
from tests.serving.conftest import png

PAGE = (Path(__file__).parents[2] / "docs" / "deploying.md").read_text(encoding="utf-8")
CURL = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_requests_are_answered(server: httpx.Client, tmp_path: Path) -> None:
    for name in ("photo.jpg", "other.jpg"):
        (tmp_path / name).write_bytes(png())
    (tmp_path / "token.txt").write_text("any")
    answers = []
    for command in CURL:
        words = command.replace("http://127.0.0.1:8000", str(server.base_url).rstrip("/"))
        words = words.replace("a corgi", "red").replace("a tabby cat", "blue")  # the small model has room for few words
        asked = subprocess.run(
            f"{words} --fail --silent --show-error", shell=True, cwd=tmp_path, capture_output=True, text=True
        )
        assert asked.returncode == 0, f"{command}: {asked.stderr}"
        answers.append(asked.stdout)
    _, one, two, drawn, last = answers
    assert len(json.loads(one)["predictions"]) == 1 and one == last
    assert [len(found["scores"]) for found in json.loads(two)["predictions"]] == [2, 2]
    assert drawn == "" and (tmp_path / "explained.png").read_bytes().startswith(b"\x89PNG")


def test_every_status_is_explained() -> None:
    assert [int(status) for status in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)] == sorted(REFUSALS)


def test_every_path_is_named(server: httpx.Client) -> None:
    paths = server.get("/openapi.json").json()["paths"].keys() - {"/api/examples/{name}"}
    assert {*paths, "/openapi.json"} == set(re.findall(r"^\| `(/[^`]*)` \|", PAGE, re.MULTILINE))


def test_the_proxy_lets_through_what_the_server_takes() -> None:
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", PAGE)
    assert int(megabytes) * 2**20 >= Limits().request_bytes
