"""What the server counts of itself, for Prometheus."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Gauges:
    """The numbers of one server, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # resident memory, processor seconds, open files
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "bmip_requests", "Requests by path and status.", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "bmip_request_seconds", "Seconds of a request.", ["path"], buckets=SECONDS, registry=self.registry
        )
        self.inside = Gauge(
            "bmip_requests_inside", "Requests that are received, wait or are answered.", registry=self.registry
        )
        self.batch_pictures = Histogram(
            "bmip_batch_pictures", "Pictures that the model saw at once.", buckets=SIZES, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "bmip_batch_seconds", "Seconds of the model for one batch.", buckets=SECONDS, registry=self.registry
        )
        self.explanation_seconds = Histogram(
            "bmip_explanation_seconds", "Seconds of one explanation.", buckets=SECONDS, registry=self.registry
        )

    def batch(self, pictures: int, seconds: float) -> None:
        """Counts one batch of the model."""
        self.batch_pictures.observe(pictures)
        self.batch_seconds.observe(seconds)

    def explanation(self, pictures: int, seconds: float) -> None:
        """Counts one explanation."""
        self.explanation_seconds.observe(seconds)


class Measured:
    """ASGI middleware that counts requests by path and status, and their seconds.

    Args:
        paths: those that are counted by name. All others are "other", so that nobody can fill the memory with paths.
    """

    def __init__(self, app: ASGIApp, gauges: Gauges, paths: frozenset[str]) -> None:
        self._app, self._gauges, self._paths = app, gauges, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._gauges.requests.labels(path, status).inc()
            self._gauges.seconds.labels(path).observe(time.perf_counter() - began)
