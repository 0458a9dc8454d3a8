"""Work in bounded batches, each a short transaction, so that logins do not wait for it."""

import time
from collections.abc import Callable


def run(step: Callable[[int], int], *, batch: int, seconds: float | None) -> int:
    """Call `step(batch)`, which returns how many rows it handled, until it handles fewer or `seconds` have passed."""
    deadline = None if seconds is None else time.monotonic() + seconds
    total = 0
    while True:
        count = step(batch)
        total += count
        if count < batch or (deadline is not None and time.monotonic() > deadline):
            return total
