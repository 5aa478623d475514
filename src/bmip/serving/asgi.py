"""Answers that are given before the application is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.types import Send


async def refuse(send: Send, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
    """Answers with a sentence as JSON, as the application does for what it refuses."""
    body = json.dumps({"detail": sentence}).encode()
    given = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
