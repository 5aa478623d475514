"""Who may ask: names of this server, pages of this server, and those who know the token."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmip.serving.asgi import refuse

TOKEN = re.compile(r"[A-Za-z0-9_-]{16,200}")
OPEN_PATHS = ("/healthz",)
"""What is answered without a token."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""On every answer."""


@dataclass(frozen=True)
class Access:
    """Who may ask. Raises ValueError for a token that is short or has other letters, and for none where one must be."""

    token: str | None = None
    """None: everybody on this machine may ask, and nobody else."""

    names: frozenset[str] = frozenset()
    """Names of this server beside localhost, as a browser shows them."""

    other_machines: bool = False
    """Whether the server listens for other machines too."""

    def __post_init__(self) -> None:
        if self.token is not None and not TOKEN.fullmatch(self.token):
            raise ValueError("a token has 16 to 200 letters, digits, - and _, and this one does not")
        if self.token is None and (self.other_machines or self.names):
            raise ValueError("a server that other machines can reach needs a token")

    def knows(self, host: str) -> bool:
        """Whether a Host header names this server.

        With DNS rebinding a foreign page reaches this server under the foreign page's own name. It cannot do so with an
        address, so any address will do where other machines may ask.
        """
        name = hostname(host)
        if name is None:
            return False
        if name == "localhost" or name in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self.other_machines or address.is_loopback

    @property
    def cookie(self) -> str:
        """The name of the cookie that holds the token. A browser has one set of cookies for all ports of a host, and
        other programs may have put theirs there.
        """
        return f"bmip_token_{hashlib.sha256((self.token or '').encode()).hexdigest()[:8]}"

    def admits(self, token: str | None) -> bool:
        """Whether this token opens the door; compared in a time that says nothing about it."""
        return self.token is None or hmac.compare_digest(self.token.encode(), (token or "").encode())


class Guard:
    """ASGI middleware that answers only those who may ask, and puts HEADERS on every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, cookie = Headers(scope=scope), None
        in_address = _token_in_address(scope)
        if in_address is not None and self._access.token is not None and self._access.admits(in_address):
            cookie = f"{self._access.cookie}={in_address}; HttpOnly; SameSite=Strict; Path=/"

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                given.update(HEADERS)
                if cookie is not None:
                    given.append("set-cookie", cookie)
            await send(message)

        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._access.knows(host):
            sentence = f"this server is not called {host!r}: ask it by its address, or name it with --allow-host"
            await refuse(dressed, 403, sentence)
        elif origin is not None and _place(origin) != host.lower():
            await refuse(dressed, 403, "a page of another server asks, which is not allowed")
        elif scope["path"] not in OPEN_PATHS and not self._access.admits(_token(scope, headers, self._access.cookie)):
            sentence = (
                "a token is needed: open the page once as /?token=TOKEN, or send the header Authorization: Bearer TOKEN"
            )
            await refuse(dressed, 401, sentence, {"www-authenticate": "Bearer"})
        else:
            await self._app(scope, receive, dressed)


def _token(scope: Scope, headers: Headers, cookie: str) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    if (in_address := _token_in_address(scope)) is not None:
        return in_address
    return cookie_parser(headers.get("cookie", "")).get(cookie)


def _token_in_address(scope: Scope) -> str | None:
    """The token of `/?token=TOKEN`; other addresses carry none."""
    given = parse_qs(scope["query_string"].decode("latin-1")).get("token") if scope["path"] == "/" else None
    return given[0] if given else None


def _place(origin: str) -> str | None:
    """The name and port in an Origin header, in small letters; None for what is no such header."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def hostname(host: str) -> str | None:
    """The name in a Host header, without port and brackets; None for what is no such header."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
