"""What one server takes, and the error for what it does not take."""

from __future__ import annotations

from dataclasses import dataclass, fields

WHOLE = 1000
"""Characters that a sentence about what was sent may have, with the names in it."""


@dataclass(frozen=True)
class Limits:
    """How much a request may ask for. Raises ValueError for a limit below 1."""

    request_bytes: int = 2**25
    """Bytes of a request, all its pictures together."""

    image_bytes: int = 2**24
    """Bytes of one picture's file."""

    image_pixels: int = 40_000_000
    """Pixels of one picture, width times height."""

    images: int = 16
    """Pictures of a request."""

    classes: int = 1000
    """Class names of a request."""

    class_letters: int = 200
    """Letters of a class name."""

    seconds: int = 60
    """Seconds from the first byte of a request to its answer."""

    waiting: int = 64
    """Requests that are received, wait or are answered at the same time; further ones get 503."""

    batch: int = 32
    """Pictures that the model sees at once, from one request or from several."""

    class_lists: int = 32
    """Class lists whose features are remembered."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                raise ValueError(f"{field.name} is {getattr(self, field.name)}; it must be at least 1")


class RefusedError(Exception):
    """A request that is not answered, with the HTTP status and a sentence for the person who sent it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
