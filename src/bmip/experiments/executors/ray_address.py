"""A quick look whether a Ray cluster answers at an address: Ray itself would try for minutes."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

SECONDS = 10.0
"""The longest that an answer may take."""

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
"""How a client of HTTP/2, which Ray speaks, begins: the preface and an empty SETTINGS frame. (RFC 9113, section 3.4)"""

FRAME, KIND, SETTINGS = 9, 3, 4
"""The bytes at the head of a frame, the place of its kind among them, and the kind with which a server begins."""


def check_address(address: str) -> None:
    """Raises ValueError for what is no address of a cluster, and ConnectionError where none answers there."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", address)
    if address in ("auto", "local"):
        return
    parts = urlsplit(address if "://" in address else f"//{address}")
    if parts.scheme not in ("", "ray"):  # of a service that adds its own kind of address to Ray
        return
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise ValueError(
            f"{address!r} is no address of a Ray cluster: give HOST:PORT as `ray start` prints it, ray://HOST:PORT, "
            "auto, or local"
        )
    cure = "give the address of a Ray cluster that runs, or --ray local"
    try:
        found = _first_frame(host, port)
    except OSError as error:
        raise ConnectionError(f"no Ray cluster answers at {address} ({error}): {cure}") from error
    if found is not None and found[KIND : KIND + 1] != bytes([SETTINGS]):
        raise ConnectionError(f"what answers at {address} is no Ray cluster: {cure}")


def _first_frame(host: str, port: int) -> bytes | None:
    """What the server says first; None where it wants encryption, so that the way in is known to be open, no more."""
    with socket.create_connection((host, port), timeout=SECONDS) as there:
        if os.environ.get("RAY_USE_TLS") == "1":
            return None
        there.sendall(HELLO)
        with there.makefile("rb") as answer:
            return answer.read(FRAME)
