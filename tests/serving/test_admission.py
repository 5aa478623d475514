"""Bytes, places and seconds of a request are bounded."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
import pytest

from bmip.serving.classifier import Classifier, Question
from bmip.serving.limits import Limits
from tests.serving.conftest import Serve, images, png, small_model

GOOD = png("green")
FORM = "multipart/form-data"
HEAD = b'--b\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'


def test_a_file_and_a_request_of_too_many_bytes(serve: Serve) -> None:
    client = serve(small_model(), Limits(image_bytes=2000, request_bytes=3_000_000))
    file = client.post("/api/predict", files=images(png(size=(99, 99)), names=("large.png",)))
    assert file.status_code == 413 and file.json()["detail"].startswith("large.png has ")
    whole = client.post("/api/predict", files=images(bytes(9_000_000)))
    endless = client.post("/api/predict", content=_chunks(9000), headers={"content-type": f"{FORM}; boundary=b"})
    for answer in (whole, endless):
        assert answer.status_code == 413 and "it may have 3,000,000 bytes" in answer.json()["detail"]
    assert client.post("/api/predict", files=images(png(size=(8, 8)))).status_code == 200


def _chunks(count: int) -> Iterator[bytes]:
    """The parts of a body whose length nobody has said."""
    yield HEAD
    for _ in range(count):
        yield bytes(1000)


@contextmanager
def half_a_request(client: httpx.Client) -> Iterator[socket.socket]:
    """A connection on which a request has begun whose body is not there in full: nine bytes are missing."""
    form = HEAD + GOOD + b"\r\n--b--\r\n"
    head = (
        b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n" % len(form)
    )
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=60) as connection:
        connection.sendall(head + form[:-9])
        yield connection


def until_inside(client: httpx.Client, count: int) -> None:
    """Waits until the server says that so many requests are inside."""
    limit, told = time.monotonic() + 60, ""
    while f"bmip_requests_inside {count}.0" not in told:
        assert time.monotonic() < limit, f"not {count} requests are inside after 60 s:\n{told}"
        told = client.get("/metrics").text


def until_answered(client: httpx.Client) -> None:
    """Asks until the answer is good: on a busy machine even that one may take longer than a second."""
    limit = time.monotonic() + 60
    while (answer := client.post("/api/predict", files=images(GOOD))).status_code != 200:
        assert time.monotonic() < limit, f"no good answer in 60 s, but {answer.text}"


def test_a_full_house_says_when_to_ask_again(serve: Serve) -> None:
    client = serve(small_model(), Limits(waiting=2))
    with half_a_request(client) as first, half_a_request(client):
        until_inside(client, 2)
        refused = client.post("/api/predict", files=images(GOOD))
        assert refused.status_code == 503 and refused.headers["retry-after"] == "1"
        assert "2 requests are waiting" in refused.json()["detail"]
        assert client.get("/healthz").status_code == 200
        first.sendall(b"\r\n--b--\r\n")
        assert first.recv(1000).startswith(b"HTTP/1.1 200")
        assert client.post("/api/predict", files=images(GOOD)).status_code == 200
    assert client.post("/api/predict", files=images(GOOD)).status_code == 200


def test_a_request_that_is_not_sent_in_time(serve: Serve) -> None:
    client = serve(small_model(), Limits(seconds=1, waiting=1))
    with half_a_request(client) as connection:
        said = connection.recv(4000)
        while not said.endswith(b"}"):
            more = connection.recv(4000)
            assert more, said
            said += more
        assert said.startswith(b"HTTP/1.1 408") and b"not sent in full within 1 s" in said
    until_answered(client)


def test_an_answer_that_takes_too_long(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, answers = threading.Event(), Classifier.answers

    def late(self: Classifier, questions: Sequence[Question]) -> Sequence[object]:
        go_on.wait(30)
        return answers(self, questions)

    monkeypatch.setattr(Classifier, "answers", late)
    client = serve(small_model(), Limits(seconds=1))
    answer = client.post("/api/predict", files=images(GOOD))
    assert answer.status_code == 504 and "longer than 1 s" in answer.json()["detail"]
    go_on.set()
    until_answered(client)


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="images is 0; it must be at least 1"):
        Limits(images=0)
