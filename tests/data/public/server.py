"""A web server on this machine that can be told to misbehave."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What is served, how badly, and what was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    address: str = ""
    ranges: bool = True
    """Whether a part of a file may be asked for."""

    etag: str | None = '"one"'
    breaks_after: list[int] = field(default_factory=list)
    """Bytes after which the next answers break off, one number an answer."""

    claims: int | None = None
    """A Content-Length that is not true."""

    shifted: bool = False
    """Whether another part is sent than was asked for."""

    errors: list[int] = field(default_factory=list)
    """Status codes of the next answers."""

    chunked: bool = False
    asked: list[str | None] = field(default_factory=list)
    """The ranges of all requests."""


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            wanted = self.headers.get("Range")
            site.asked.append(wanted)
            if site.errors:
                return self.send_error(site.errors.pop(0))
            content = site.files.get(self.path)
            if content is None:
                return self.send_error(404)
            start, status = 0, 200
            tag = self.headers.get("If-Range")
            if wanted and site.ranges and (tag is None or tag == site.etag):
                start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
            start = start + 3 if site.shifted and status == 206 else start
            body = content[start:]
            self.send_response(status)
            if site.etag:
                self.send_header("ETag", site.etag)
            if status == 206:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            if not site.chunked:
                self.send_header("Content-Length", str(len(body) if site.claims is None else site.claims))
            self.end_headers()
            end = site.breaks_after.pop(0) if site.breaks_after else len(body)
            with suppress(ConnectionError):  # a client that has seen enough hangs up
                self.wfile.write(body[:end])
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
