"""Moving the clock, in this process and in the limiter's store."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import time_machine
from django.utils import timezone

from core.redis import redis_client


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Travel `seconds` ahead, where time stands still. The counters of limits in Redis age as much."""
    client = redis_client()
    if client:
        for key in client.scan_iter("authsvc:limit:*"):
            left = client.pttl(key) - int(seconds * 1000)
            client.pexpire(key, left) if left > 0 else client.delete(key)
    with time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=False):
        yield
