"""The process's one Redis client. Hot paths use it directly; `django.core.cache` costs twice as much per call."""

from functools import lru_cache

import redis
from django.conf import settings

type Client = redis.Redis


@lru_cache(maxsize=4)
def _connect(url: str) -> Client:
    # Short time limits: a login must not hang on a store that is away, it is refused or goes on without it.
    return redis.Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=0.5, health_check_interval=30)


def redis_client() -> Client | None:
    """The client, or None when the service runs without Redis (one process)."""
    return _connect(settings.REDIS_URL) if settings.REDIS_URL else None
