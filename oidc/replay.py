"""Things that may be seen once: identifiers of proofs and assertions, remembered until the proof itself is over.

In Redis when there is one, else in this one process. When Redis is away nothing is believed.
"""

import hashlib
import threading
import time

import redis
import structlog

from projects.kv import redis_client

log = structlog.get_logger(__name__)

_PREFIX = "authsvc:seen:"
_MOST = 100_000

_lock = threading.Lock()
_seen: dict[str, float] = {}


def is_first(*, scope: str, identifier: str, seconds: int) -> bool:
    """Whether this identifier is seen for the first time within `scope`; from now on it is known for `seconds`."""
    key = hashlib.sha256(f"{scope}\0{identifier}".encode(errors="replace")).hexdigest()
    client = redis_client()
    if client is None:
        return _remember(key, time.monotonic(), seconds)
    try:
        return bool(client.set(_PREFIX + key, 1, nx=True, ex=seconds))
    except redis.RedisError as error:
        log.warning("oidc.replay_store_away", error=type(error).__name__)
        return False


def _remember(key: str, now: float, seconds: int) -> bool:
    with _lock:
        if _seen.get(key, 0) > now:
            return False
        if len(_seen) >= _MOST:
            for old in [name for name, end in _seen.items() if end <= now]:
                del _seen[old]
            if len(_seen) >= _MOST:
                return False  # rather refuse than forget
        _seen[key] = now + seconds
        return True


def clear_memory() -> None:
    _seen.clear()
