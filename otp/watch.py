"""The sweep over everything that is due. Beat rings one every second; several may run side by side.

It sends what it finds by itself instead of ringing for it: however long the queue of due deliveries is, nothing
piles up in the broker and fresh logins, which have bells and a queue of their own, do not wait behind it.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone

from otp import delivery, fallback, liveness
from otp.store import sweep
from otp.store.sql import release
from projects import config, metrics

log = structlog.get_logger(__name__)

# A sweep works at most this long; the next one is a second away.
LONGEST_SECONDS = 5.0
# Small batches: what is taken is done at once, and the freshest come first in the next one.
BATCH_PER_THREAD = 4

_one_at_a_time = threading.Lock()
_stopping = threading.Event()


def stop() -> None:
    """This process is about to end: what is being sent is finished, nothing more is claimed."""
    _stopping.set()


def is_stopping() -> bool:
    return _stopping.is_set()


def watch_deliveries() -> int:
    """See to every delivery that is due; how many there were. A second sweep in the same process does nothing."""
    if not _one_at_a_time.acquire(blocking=False):
        return 0
    try:
        config.reconcile()
        seen = _sweep()
        liveness.swept()
        return seen
    finally:
        _one_at_a_time.release()


def _sweep() -> int:
    seen, deadline = 0, time.monotonic() + LONGEST_SECONDS
    batch = BATCH_PER_THREAD * settings.SWEEP_THREADS
    while not is_stopping() and time.monotonic() < deadline:
        due = sweep.take_due(now=timezone.now(), batch=batch)
        release()
        for case, count in due.cases.items():
            metrics.SWEPT.labels(case).inc(count)
        _do_all([*((_send, item) for item in due.send), *((_fall_back, item) for item in due.fall_back)])
        seen += due.taken
        if due.taken < batch:
            break
    return seen


def _send(delivery_id: uuid.UUID) -> None:
    delivery.send_delivery(delivery_id=delivery_id)


def _fall_back(delivery_id: uuid.UUID) -> None:
    added = fallback.fall_back(delivery_id=delivery_id)
    if added:
        delivery.send_delivery(delivery_id=added)


type _Step = tuple[Callable[[uuid.UUID], None], uuid.UUID]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="sweep")


def _do_all(steps: Iterable[_Step]) -> None:
    if settings.SWEEP_THREADS == 1:
        for step in steps:
            _do(step)
    else:
        list(_pool(settings.SWEEP_THREADS).map(_do_in_thread, steps))


def _do(step: _Step) -> None:
    """One delivery that goes wrong must not keep the others; its timer brings it back."""
    act, delivery_id = step
    if is_stopping():
        return
    try:
        act(delivery_id)
    except Exception:
        log.exception("sweep.failed", delivery_id=str(delivery_id))


def _do_in_thread(step: _Step) -> None:
    try:
        _do(step)
    finally:
        connection.close()
