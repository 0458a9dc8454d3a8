"""Signs of life of workers, for operators: when the last sweep ran, and whether a worker answers now.

They live in Redis and expire there; without Redis everything runs in one process, which remembers it itself.
"""

import secrets
import time

import redis
import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from projects.kv import redis_client

log = structlog.get_logger(__name__)

_SWEPT_KEY = "authsvc:swept"
_KEPT_SECONDS = 24 * 3600
_ECHO_KEY = "authsvc:echo:"
_ECHO_KEPT_SECONDS = 60


# Without Redis: this process is the only one.
_swept_here: list[float] = []


def swept() -> None:
    """A sweep is over."""
    client = redis_client()
    if client is None:
        _swept_here[:] = [time.time()]
        return
    try:
        client.set(_SWEPT_KEY, f"{time.time():.3f}", ex=_KEPT_SECONDS)
    except redis.RedisError as error:
        log.warning("liveness.lost", error=type(error).__name__)


def seconds_since_sweep(*, patience: float = 0.0) -> float | None:
    """How old the last sweep is; None: none in the last day, or nobody to ask. Raises redis.RedisError.

    With `patience` it waits that long for one that is fresh: who has just started deserves a moment.
    """
    client, begun = redis_client(), time.monotonic()
    while True:
        value = client.get(_SWEPT_KEY) if client else next(iter(_swept_here), None)
        age = max(time.time() - float(value), 0.0) if value else None  # other machines have other clocks
        if (age is not None and age < patience) or time.monotonic() - begun >= patience:
            return age
        time.sleep(0.1)


def echo(token: str) -> None:
    """What a worker does with `ask`."""
    client = redis_client()
    if client is not None:
        client.set(_ECHO_KEY + token, "1", ex=_ECHO_KEPT_SECONDS)


def ask(*, queue: str, seconds: float) -> float | None:
    """How long a worker of `queue` took to answer a task, in seconds; None: not within `seconds`.

    Raises redis.RedisError, kombu's OperationalError and OSError when the way there is broken.
    """
    client = redis_client()
    if client is None:
        raise OperationalError("no Redis to answer through")
    token, begun = secrets.token_hex(8), time.monotonic()
    current_app.send_task("otp.tasks.echo", args=[token], queue=queue, expires=seconds)
    while time.monotonic() - begun < seconds:
        if client.get(_ECHO_KEY + token):
            return time.monotonic() - begun
        time.sleep(0.02)
    return None
