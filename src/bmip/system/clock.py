"""The time, as it is written into files."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """The time in UTC, to the second: "2026-11-29T15:37:45+00:00" (ISO 8601)."""
    return datetime.now(UTC).isoformat(timespec="seconds")
