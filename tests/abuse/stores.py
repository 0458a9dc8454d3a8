"""One process without Redis."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from abuse import limiter, throttle


@contextmanager
def without_redis() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limiter, "redis_client", lambda: None)
        patch.setattr(throttle, "redis_client", lambda: None)
        yield
