"""A small trained model, and servers of it on free ports of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pillow_heif
import pytest
import uvicorn
from PIL import Image

from bmip.class_names import ClassNames
from bmip.methods import build_model
from bmip.prompting.model import PromptedCLIP
from bmip.serving.app import make_app
from bmip.serving.guard import Access
from bmip.serving.limits import Limits
from bmip.serving.server import listen
from bmip.testing import tiny_clip
from bmip.testing.tiny import COLOURS

Serve = Callable[..., httpx.Client]


def small_model(method: str = "bmip", **options: Any) -> PromptedCLIP:
    """Prompts as they are before training, which answer like any others."""
    given = {"depth": 2} if method == "bmip" else {}
    return build_model(method, {**given, **options}, tiny_clip(), ClassNames(tuple(COLOURS)), seed=1)


@contextmanager
def served(app: Any, listening: socket.socket | None = None) -> Iterator[str]:
    """The address of a running server, on this socket or on a free port."""
    listening = listening or listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, loop="asyncio", http="h11", ws="none", log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


@pytest.fixture(scope="session")
def model() -> PromptedCLIP:
    return small_model()


@pytest.fixture(scope="session")
def server(model: PromptedCLIP) -> Iterator[httpx.Client]:
    """A server with ordinary limits."""
    examples = {"red.png": png("red")}
    with (
        served(make_app(model, Limits(), Access(), examples)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server for this test alone, of another model, with other limits or another access."""
    with ExitStack() as stack:

        def start(model: PromptedCLIP, limits: Limits = Limits(), access: Access = Access()) -> httpx.Client:
            address = stack.enter_context(served(make_app(model, limits, access)))
            return stack.enter_context(httpx.Client(base_url=address, timeout=60))

        yield start


def png(colour: str = "red", *, seed: int = 0, size: tuple[int, int] = (24, 20), kind: str = "PNG") -> bytes:
    """A noisy picture of one colour as a file."""
    noise = np.random.default_rng(seed).normal(0, 30, (size[1], size[0], 3))
    file = BytesIO()
    picture = Image.fromarray((np.array(COLOURS[colour]) + noise).clip(0, 255).astype(np.uint8))
    if kind == "HEIF":  # Pillow itself cannot
        pillow_heif.from_pillow(picture).save(file)
    else:
        picture.save(file, kind)
    return file.getvalue()


def images(*files: bytes, names: tuple[str, ...] = ()) -> list[tuple[str, tuple[str, bytes]]]:
    """The parts of a form with these files."""
    named = names or tuple(f"{number}.png" for number in range(len(files)))
    return [("images", (name, file)) for name, file in zip(named, files, strict=True)]
