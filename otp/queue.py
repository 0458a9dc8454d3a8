"""Tasks for workers, enqueued after the commit. Losing one is harmless: the sweep finds every delivery that waits.

One task sends all that waits (otp.waiting), so it is enqueued only when none is on its way, which a flag in Redis says
for a moment. Whoever has committed and finds the flag needs no task: the worker clears it before it looks, so a look
follows. It must not be set before the commit, because a look could come in between.
"""

import time
import uuid

import redis
import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from core import metrics
from core.redis import LocalStore, redis_client

log = structlog.get_logger(__name__)

_FLAG = "authsvc:send-waiting"
# When a task is lost, or its worker is full, the next one may follow after this.
_FLAG_MILLISECONDS = 100
# In place of Redis: until when, on the clock of `time.monotonic`.
_local = LocalStore[str, float](max_entries=1)


def enqueue_send(delivery_id: uuid.UUID) -> None:
    """A delivery waits, and that is committed: a worker sends it."""
    if _set_flag():
        _enqueue("otp.tasks.send_waiting", delivery_id=str(delivery_id))


def enqueue_send_again() -> None:
    """More may wait than this worker takes: another one, unless a task for that is on its way."""
    if _set_flag():
        _enqueue("otp.tasks.send_waiting")


def clear_flag() -> None:
    """A worker is about to look: who commits from here on enqueues a task again. Call it before looking."""
    client = redis_client()
    if client is None:
        with _local.lock:
            _local.clear()
        return
    try:
        client.run("DEL", _FLAG)
    except redis.RedisError as error:
        log.warning("enqueue.flag_stays", error=type(error).__name__)  # for a moment


def enqueue_fallback(delivery_id: uuid.UUID) -> None:
    """The delivery did not arrive: a worker decides about the next channel."""
    _enqueue("otp.tasks.fall_back", str(delivery_id), delivery_id=str(delivery_id))


def _set_flag() -> bool:
    """Whether no task is on its way; from now on one is. Without an answer of Redis: rather one too many than none."""
    client = redis_client()
    if client is None:
        now = time.monotonic()
        with _local.lock:
            is_free = _local.get(_FLAG, now) <= now
            if is_free:
                _local.put(_FLAG, now + _FLAG_MILLISECONDS / 1000)
        return is_free
    try:
        return bool(client.run("SET", _FLAG, 1, "NX", "PX", _FLAG_MILLISECONDS))
    except redis.RedisError:
        return True


def _enqueue(task: str, *arguments: str, **logged: str) -> None:
    try:
        current_app.send_task(task, args=arguments)
    except (OperationalError, OSError) as error:
        metrics.ENQUEUE_FAILURES.inc()
        log.warning("enqueue.failed", error=type(error).__name__, **logged)
