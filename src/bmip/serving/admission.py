"""A place for each request, and no more bytes and time than it may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bmip.serving.asgi import refuse
from bmip.serving.limits import Limits

RETRY_AFTER = 1
"""Seconds after which a client may ask again."""

DRAIN_SECONDS = 5
"""For so long the rest of a refused request is read and thrown away. A client that still sends would not see the answer
if the connection were closed at once."""


class _TooManyBytesError(Exception):
    pass


class Admission:
    """ASGI middleware for all requests that send something.

    Only `limits.waiting` of them are in the house at a time, so that memory has a bound; the others get 503. One of
    more bytes than `limits.request_bytes` gets 413. One that takes longer than `limits.seconds` gets 408 if it has not
    been sent in full by then, and 504 otherwise.

    Args:
        inside: is told how many requests are in the house whenever that changes.
    """

    def __init__(self, app: ASGIApp, limits: Limits, inside: Callable[[int], None] = lambda requests: None) -> None:
        self._app, self._limits, self._tell = app, limits, inside
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
        elif self._inside >= self._limits.waiting:
            await _drain(receive, self._limits.request_bytes)
            sentence = f"{self._inside} requests are waiting already: ask again in a moment"
            await refuse(send, 503, sentence, {"retry-after": str(RETRY_AFTER)})
        else:
            await self._admit(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        most = self._limits.request_bytes
        received, complete, started = 0, False, False

        async def counted() -> Message:
            nonlocal received, complete
            message = await receive()
            received += len(message.get("body", b""))
            complete = complete or not message.get("more_body", False)
            if received > most:
                raise _TooManyBytesError
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if received > most:  # the application has an answer of its own where its reading fails
                raise _TooManyBytesError
            started = True
            await send(message)

        self._step(1)
        try:
            declared = dict(scope["headers"]).get(b"content-length", b"0")
            if declared.isdigit() and int(declared) > most:
                raise _TooManyBytesError
            await asyncio.wait_for(self._app(scope, counted, noted), self._limits.seconds)
        except _TooManyBytesError:
            if started:
                raise
            if not complete:
                await _drain(receive, most)
            sentence = f"the request is too large; it may have {most:,} bytes: send fewer or smaller pictures"
            await refuse(send, 413, sentence)
        except TimeoutError:
            if started:
                raise
            seconds = self._limits.seconds
            if complete:
                await refuse(send, 504, f"the answer took longer than {seconds} s: ask for less at once, or later")
            else:
                await refuse(send, 408, f"the request was not sent in full within {seconds} s")
        finally:
            self._step(-1)

    def _step(self, change: int) -> None:
        self._inside += change
        self._tell(self._inside)


async def _drain(receive: Receive, most: int) -> None:
    """Reads and drops what still comes: at most so many bytes, and not for long."""

    async def read() -> None:
        dropped, more = 0, True
        while more and dropped <= most:
            message = await receive()
            dropped += len(message.get("body", b""))
            more = message.get("more_body", False)

    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(read(), DRAIN_SECONDS)
