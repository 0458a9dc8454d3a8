"""Replay protection: identifiers of proofs and assertions are accepted once and remembered until these expire.

Kept in Redis, or in this process without Redis. While Redis is unavailable nothing is accepted.
"""

import hashlib
import time

import redis
import structlog

from core.redis import LocalStore, redis_client

log = structlog.get_logger(__name__)

_PREFIX = "authsvc:seen:"
_MAX_ENTRIES = 100_000

_seen: LocalStore[str, float] = LocalStore(max_entries=_MAX_ENTRIES)  # key → when it may be forgotten


def is_first_use(*, scope: str, identifier: str, seconds: int) -> bool:
    """Whether this identifier is new within `scope`. It is remembered for `seconds`."""
    key = hashlib.sha256(f"{scope}\0{identifier}".encode(errors="replace")).hexdigest()
    client = redis_client()
    if client is None:
        return _remember(key, time.monotonic(), seconds)
    try:
        return bool(client.set(_PREFIX + key, 1, nx=True, ex=seconds))
    except redis.RedisError as error:
        log.warning("oidc.replay_store_unavailable", error=type(error).__name__)
        return False


def _remember(key: str, now: float, seconds: int) -> bool:
    with _seen.lock:
        if _seen.get(key, 0) > now:
            return False
        if len(_seen) >= _MAX_ENTRIES:
            for expired in [name for name, end in _seen.items() if end <= now]:
                del _seen[expired]
            if len(_seen) >= _MAX_ENTRIES:
                return False  # refuse rather than forget one that could be replayed
        _seen[key] = now + seconds
        return True
