"""Runs functions a little later: one thread over one heap, however many are waiting."""

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count


class Timers:
    """Calls functions after a delay. They run on the timer's thread, so they must be quick and must not raise."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = threading.Condition()
        self._numbers = count()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Call the function later; with no delay at all, at once and on the caller's thread."""
        if seconds <= 0:
            function()
            return
        with self._changed:
            heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._numbers), function))
            self._changed.notify()

    def cancel_all(self) -> None:
        with self._changed:
            self._heap.clear()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._heap.clear()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (function := self._next()) is not None:
            function()

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next function that is due; None once closed."""
        with self._changed:
            while not self._closed:
                wait = self._heap[0][0] - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)[2]
                self._changed.wait(wait)
        return None
