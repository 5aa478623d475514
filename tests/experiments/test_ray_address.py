"""An address at which no Ray cluster answers is named in seconds. (That a cluster is taken for one: test_ray.)"""

import socket
from collections.abc import Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from threading import Thread

import pytest

from bmip.experiments.executors import ray_address
from bmip.experiments.executors.ray_address import check_address


@pytest.fixture
def closed() -> str:
    """An address at which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that takes connections and never says a word."""
    monkeypatch.setattr(ray_address, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as there:
        yield f"127.0.0.1:{there.getsockname()[1]}"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of web pages, such as Ray's dashboard is."""
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *given: None)
    server = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("way", ["{}", "ray://{}"])
def test_where_nothing_listens(closed: str, way: str) -> None:
    with pytest.raises(ConnectionError, match=f"no Ray cluster answers at {way.format(closed)} .*--ray local"):
        check_address(way.format(closed))


def test_where_nothing_is_said(silent: str) -> None:
    with pytest.raises(ConnectionError, match=f"no Ray cluster answers at {silent} .timed out"):
        check_address(silent)


def test_where_something_else_answers(web: str) -> None:
    with pytest.raises(ConnectionError, match=f"what answers at {web} is no Ray cluster"):
        check_address(web)


def test_the_address_of_the_environment_is_asked(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", closed)
    with pytest.raises(ConnectionError, match=closed):
        check_address("auto")


@pytest.mark.parametrize("address", ["head", "head:port", ":6379", "ray://head", "head:99999"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match=f"'{address}' is no address of a Ray cluster: give HOST:PORT"):
        check_address(address)
