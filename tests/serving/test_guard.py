"""Who may ask: no foreign names, no foreign pages, and with a token only those who know it."""

import httpx
import pytest

from bmip.serving.guard import HEADERS, Access
from tests.serving.conftest import Serve, images, png, small_model

TOKEN = "0123456789abcdefGHIJ"
OPEN = Access(TOKEN, frozenset({"pets.example"}), other_machines=True)


@pytest.mark.parametrize(
    ("host", "here", "open_to_others"),
    [
        ("127.0.0.1", True, True),
        ("127.0.0.1:9", True, True),
        ("localhost:8000", True, True),
        ("LOCALHOST", True, True),
        ("[::1]:8000", True, True),
        ("192.168.1.7:8000", False, True),
        ("pets.example", False, True),
        ("pets.example:443", False, True),
        ("evil.example", False, False),
        ("localhost.evil.example", False, False),
        ("127.0.0.1.evil.example", False, False),
        ("evil.example:8000@localhost", True, True),
        ("", False, False),
        ("[", False, False),
    ],
)
def test_names_of_the_server(host: str, here: bool, open_to_others: bool) -> None:
    assert (Access().knows(host), OPEN.knows(host)) == (here, open_to_others)


def test_a_foreign_name_is_refused_everywhere(server: httpx.Client) -> None:
    for path in ("/", "/healthz", "/api/model", "/metrics", "/openapi.json"):
        answer = server.get(path, headers={"host": "evil.example"})
        assert answer.status_code == 403 and "not called 'evil.example'" in answer.json()["detail"]
    answer = server.post("/api/predict", files=images(png()), headers={"host": "evil.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://evil.example", 403),
        ("null", 403),
        ("http://localhost:1", 403),
        (None, 200),
        ("", 403),
        ("http://[", 403),
        ("http://[::1", 403),
        ("http://a]b", 403),
        ("http://[not an address]", 403),
    ],
)
def test_pages_of_other_servers(server: httpx.Client, origin: str | None, status: int) -> None:
    headers = {} if origin is None else {"origin": origin}
    assert server.post("/api/predict", files=images(png()), headers=headers).status_code == status
    assert server.get("/healthz", headers=headers).status_code == status


def test_its_own_page_may_ask(server: httpx.Client) -> None:
    own = {"origin": str(server.base_url).rstrip("/")}
    assert server.post("/api/predict", files=images(png()), headers=own).status_code == 200
    proxied = {"origin": "https://localhost", "host": "localhost"}
    assert server.post("/api/predict", files=images(png()), headers=proxied).status_code == 200


def test_a_token_opens_the_door(serve: Serve) -> None:
    client = serve(small_model(), access=Access(TOKEN))
    assert client.get("/healthz").status_code == 200
    for headers in (
        {},
        {"authorization": f"Bearer {TOKEN[:-1]}"},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": "Bearer"},
        {"cookie": f"{Access(TOKEN).cookie}=wrong"},
        {"cookie": "\xff;;=="},
    ):
        for path in (
            "/",
            "/api/model",
            "/metrics",
            "/openapi.json",
            "/api/examples/a.png",
            f"/api/model?token={TOKEN}",
        ):
            answer = client.get(path, headers={name: value.encode("latin-1") for name, value in headers.items()})
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            assert "a token is needed" in answer.json()["detail"] and "set-cookie" not in answer.headers
    assert client.get("/api/model", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert client.get("/?token=wrong").status_code == 401


def test_the_page_gets_a_cookie_that_scripts_cannot_read(serve: Serve) -> None:
    client = serve(small_model(), access=Access(TOKEN))
    given = client.get(f"/?token={TOKEN}")
    assert given.status_code in (200, 404)  # 404 where the page is not installed
    parts = given.headers["set-cookie"].split("; ")
    assert parts[0] == f"{Access(TOKEN).cookie}={TOKEN}" and {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(parts)
    assert client.get("/api/model").status_code == 200  # with the cookie


@pytest.mark.parametrize(
    "foreign", ['prefs={"a": 1, "b": 2}', "flag", "\xe4=\xe9", "a=1;;b", f"{Access('x' * 16).cookie}=other"]
)
def test_cookies_of_other_programs_close_no_door(serve: Serve, foreign: str) -> None:
    """A browser sends them to every port of a host, those of another server of bmip too."""
    client = serve(small_model(), access=Access(TOKEN))
    for cookie in (f"{foreign}; {Access(TOKEN).cookie}={TOKEN}", f"{Access(TOKEN).cookie}={TOKEN}; {foreign}"):
        assert client.get("/api/model", headers={"cookie": cookie.encode("latin-1")}).status_code == 200


def test_headers_are_on_every_answer(server: httpx.Client) -> None:
    for answer in (
        server.get("/api/model"),
        server.get("/absent"),
        server.get("/", headers={"host": "evil.example"}),
        server.post("/api/predict", content=bytes(40_000_000)),
    ):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"] and "access-control-allow-origin" not in HEADERS


@pytest.mark.parametrize(
    ("token", "names", "part"),
    [
        ("short", frozenset(), "16 to 200 letters"),
        ("with spaces in it, and long", frozenset(), "16 to 200 letters"),
        (None, frozenset({"pets.example"}), "needs a token"),
    ],
)
def test_access_that_is_not_safe(token: str | None, names: frozenset[str], part: str) -> None:
    with pytest.raises(ValueError, match=part):
        Access(token, names)
    with pytest.raises(ValueError, match="needs a token"):
        Access(other_machines=True)
