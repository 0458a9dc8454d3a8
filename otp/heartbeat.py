"""Signs of life of workers, for operators: when the last sweep ran, whether a worker answers now, how much is due.

They live in Redis and expire there; without Redis everything runs in one process, which remembers it itself.
"""

import secrets
import time
from dataclasses import dataclass

import redis
import structlog
from celery import current_app
from django.db.models import Count, Min
from django.utils import timezone
from kombu.exceptions import OperationalError

from core.redis import LocalStore, redis_client
from otp.models import Timer

log = structlog.get_logger(__name__)

_SWEPT_KEY = "authsvc:swept"
_KEPT_SECONDS = 24 * 3600
_ECHO_KEY = "authsvc:echo:"
_ECHO_KEPT_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Backlog:
    count: int
    oldest_seconds: float  # 0 when nothing waits


# Without Redis: this process is the only one.
_swept_here: LocalStore[str, float] = LocalStore(max_entries=1)


def swept() -> None:
    """A sweep is over."""
    client = redis_client()
    if client is None:
        _swept_here.put(_SWEPT_KEY, time.time())
        return
    try:
        client.set(_SWEPT_KEY, f"{time.time():.3f}", ex=_KEPT_SECONDS)
    except redis.RedisError as error:
        log.warning("liveness.lost", error=type(error).__name__)


def seconds_since_sweep(*, patience: float = 0.0) -> float | None:
    """How old the last sweep is; None: none in the last day. Raises redis.RedisError.

    With `patience` it waits that long for a fresh one: workers may have started just now.
    """
    client, begun = redis_client(), time.monotonic()
    while True:
        value = (client or _swept_here).get(_SWEPT_KEY)
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

    Raises redis.RedisError, kombu's OperationalError and OSError when broker or Redis are away.
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


def due_now() -> Backlog:
    """What the sweep has to look at."""
    now = timezone.now()
    due = Timer.objects.filter(at__lte=now).aggregate(count=Count("*"), oldest=Min("at"))
    oldest_seconds = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    return Backlog(count=due["count"], oldest_seconds=oldest_seconds)
