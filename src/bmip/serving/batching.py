"""Work of several requests at once, by one thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Lane(Generic[Item, Result]):
    """One thread that works on the items of many requests, in their order, up to `at_once` of them together.

    It never waits for more items: while it works on some, others gather. An item whose future was cancelled before its
    turn is left out.

    Args:
        work: gives for each item its result, or the exception of this item alone. If it raises one, all its items
            have that.
        at_once: the most items that `work` gets.
        observe: is told for each call of `work` the number of items and the seconds.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        at_once: int,
        observe: Callable[[int, float], None] = lambda items, seconds: None,
    ) -> None:
        self._work, self._at_once, self._observe = work, at_once, observe
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True, name="bmip-lane")
        self._thread.start()

    def submit(self, items: Sequence[Item]) -> list[Future[Result]]:
        """The results to come of these items. Raises RuntimeError after `close`."""
        futures: list[Future[Result]] = [Future() for _ in items]
        with self._changed:
            if self._closed:
                raise RuntimeError("this lane is closed")
            self._waiting.extend(zip(items, futures, strict=True))
            self._changed.notify()
        return futures

    def close(self) -> None:
        """Ends the thread after the work that it is at, and returns then; what waits is cancelled.

        A process that ended before would be aborted by the C++ code of the thread.
        """
        with self._changed:
            self._closed = True
            for _, future in self._waiting:
                future.cancel()
            self._waiting.clear()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while taken := self._taken():
            began = time.perf_counter()
            items, futures = [item for item, _ in taken], [future for _, future in taken]
            try:
                results = self._work(items)
            except Exception as error:
                results = [error] * len(items)
            self._observe(len(items), time.perf_counter() - began)
            for future, result in zip(futures, results, strict=True):
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)
            del taken, items, futures, results  # pictures are not held while it waits

    def _taken(self) -> list[tuple[Item, Future[Result]]]:
        """The next items; none after `close`."""
        with self._changed:
            found: list[tuple[Item, Future[Result]]] = []
            while not found:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return []
                while self._waiting and len(found) < self._at_once:
                    item, future = self._waiting.popleft()
                    if future.set_running_or_notify_cancel():
                        found.append((item, future))
            return found
