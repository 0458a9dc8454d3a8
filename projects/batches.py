"""Work in bounded batches: each its own short transaction, so that nobody who logs in waits for it."""

import time
from collections.abc import Callable


def run(step: Callable[[int], int], *, batch: int, seconds: float | None) -> int:
    """Call `step(batch)`, which says how many rows it did, until it did fewer or the time is over (None: no end)."""
    deadline = None if seconds is None else time.monotonic() + seconds
    done = 0
    while True:
        last = step(batch)
        done += last
        if last < batch or (deadline is not None and time.monotonic() > deadline):
            return done
