"""The sweep over everything that is due. Beat enqueues one every second; several may run side by side.

It sends by itself instead of enqueuing tasks: however many deliveries are due, nothing piles up in the broker, and
fresh logins, which have a queue of their own, do not wait behind them.
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

from core import config_version, metrics
from otp import heartbeat, missing_reports, send
from otp.store import due as sweep
from otp.store.connections import release_connection

log = structlog.get_logger(__name__)

# A sweep works at most this long; the next one is a second away.
LONGEST_SECONDS = 5.0
# Small batches: each is handled at once, and the freshest come first in the next one.
BATCH_PER_THREAD = 4

_one_at_a_time = threading.Lock()
_stopping = threading.Event()


def stop() -> None:
    """This process ends soon: running sends are finished, nothing more is claimed."""
    _stopping.set()


def is_stopping() -> bool:
    return _stopping.is_set()


def watch_deliveries() -> int:
    """Handle every delivery that is due; how many there were. A second sweep in the same process does nothing."""
    if not _one_at_a_time.acquire(blocking=False):
        return 0
    try:
        config_version.reconcile()
        with config_version.pinned():
            missing_reports.check()
        seen = _sweep()
        heartbeat.swept()
        return seen
    finally:
        _one_at_a_time.release()


def _sweep() -> int:
    seen, deadline = 0, time.monotonic() + LONGEST_SECONDS
    batch = BATCH_PER_THREAD * settings.SWEEP_THREADS
    while not is_stopping() and time.monotonic() < deadline:
        due = sweep.take_due(now=timezone.now(), batch=batch)
        release_connection()
        for case, count in due.cases.items():
            metrics.SWEPT.labels(case).inc(count)
        _do_all(
            [
                *((send.send_delivery, item) for item in due.send),
                *((send.fall_back, item) for item in due.fall_back),
            ]
        )
        seen += due.taken
        if due.taken + due.settled < batch:
            break
    return seen


type _Step = tuple[Callable[..., None], uuid.UUID]


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
    """An error in one delivery must not stop the others; the next sweep retries it."""
    act, delivery_id = step
    if is_stopping():
        return
    try:
        act(delivery_id=delivery_id)
    except Exception:
        log.exception("sweep.failed", delivery_id=str(delivery_id))


def _do_in_thread(step: _Step) -> None:
    try:
        _do(step)
    finally:
        connection.close()
