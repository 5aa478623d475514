"""Runs the application on a port, with a temporary folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

GRACE = 5
"""Seconds that running requests have when the server is told to end."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises ValueError where that cannot be, which says why.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        every = host == "::" and socket.has_dualstack_ipv6()  # the addresses of IPv4 as well
        return socket.create_server((host, port), family=family, backlog=1024, dualstack_ipv6=every)
    except OSError as error:
        cure = "give another with --port (0 takes a free one)" if port else "give another --host"
        raise ValueError(f"port {port} of {host} cannot be had ({error.strerror or error}): {cure}") from error


def address(host: str, listening: socket.socket) -> str:
    """The address of the page, as a browser takes it."""
    port = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serves until Ctrl-C or SIGTERM, and returns when all is closed."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
    )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn raises a signal again at its end
    try:
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def temporary_folder() -> Iterator[None]:
    """A folder for all that is written: large uploads, explanations, and the list of fonts that matplotlib makes."""
    before, fonts = tempfile.tempdir, os.environ.get("MPLCONFIGDIR")
    with tempfile.TemporaryDirectory(prefix="bmip-serve-") as folder:
        tempfile.tempdir, os.environ["MPLCONFIGDIR"] = folder, folder
        try:
            yield
        finally:
            tempfile.tempdir = before
            if fonts is None:
                del os.environ["MPLCONFIGDIR"]
            else:
                os.environ["MPLCONFIGDIR"] = fonts
