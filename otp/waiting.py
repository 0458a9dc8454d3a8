"""Sends all that waits: claims as many as threads are free, hands each to one, and goes on until nothing waits.

One task does so at a time in each process; further ones make it look once more. It stays for some milliseconds after
the last find, so that on a busy service hardly any start needs a task of its own.
"""

import threading
import time
from contextvars import Context, copy_context
from datetime import datetime
from functools import cache
from queue import SimpleQueue

import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone
from structlog.contextvars import clear_contextvars

from core import config_version
from otp import policy, queue, send, sweep
from otp.store import claim as store
from otp.store.claim import Claimed
from otp.store.connections import release_connection

log = structlog.get_logger(__name__)

# So often it looks without finding anything before it ends, and waits so long before it looks again. A look costs a
# tenth of a task.
_LOOKS = 3
_PAUSE_SECONDS = 0.005
# While every thread waits for its provider, another worker is asked this often.
_FULL_SECONDS = 0.1

_at_work = threading.Lock()
_asked = threading.Event()


class _Threads:
    """Threads that send, and how many of them are free.

    Daemons, because the threads of a ThreadPoolExecutor take nothing more once the interpreter ends, when claimed
    messages may still be handed to them: `finish` waits for these.
    """

    def __init__(self, count: int) -> None:
        self._count = self._free = count
        self._changed = threading.Condition()
        self._work: SimpleQueue[tuple[Context, Claimed, datetime]] = SimpleQueue()
        for nth in range(count):
            threading.Thread(target=self._run, name=f"send-{nth}", daemon=True).start()

    def take_free(self, seconds: float) -> int:
        """All that are free, now the caller's; 0: none became so within the time."""
        with self._changed:
            self._changed.wait_for(lambda: self._free, timeout=seconds)
            taken, self._free = self._free, 0
        return taken

    def give_back(self, count: int) -> None:
        with self._changed:
            self._free += count
            self._changed.notify_all()

    def send(self, claimed: Claimed, begun: datetime) -> None:
        """In one of those that were taken. It reads the configuration of the version that the caller has pinned."""
        self._work.put((copy_context(), claimed, begun))

    def _run(self) -> None:
        while True:
            context, claimed, begun = self._work.get()
            try:
                context.run(self._send, claimed, begun)
            except Exception:  # of what comes after a message: this thread goes on
                log.exception("send.thread_failed")

    def _send(self, claimed: Claimed, begun: datetime) -> None:
        try:
            send.send_claimed(claimed, begun)
        except Exception:  # the sweep repeats it once its lease is over
            log.exception("send.failed", delivery_id=str(claimed.delivery_id))
        finally:
            try:
                connection.close()
            finally:
                self.give_back(1)

    def wait_until_idle(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._free == self._count, timeout=seconds)


@cache
def _threads(count: int) -> _Threads:
    return _Threads(count)


def send_waiting() -> None:
    """Send what waits, unless another task of this process is doing so: that one looks once more then."""
    clear_contextvars()  # of the request that enqueued this task: others' messages are not its
    _asked.set()
    while _asked.is_set() and _at_work.acquire(blocking=False):
        try:
            _asked.clear()
            _send_all(_threads(settings.WORKER_THREADS))
        finally:
            _at_work.release()


def finish() -> None:
    """Wait for the messages that are being sent. For the end of the process, after `sweep.stop`."""
    if not _threads(settings.WORKER_THREADS).wait_until_idle(policy.LEASE.total_seconds()):
        log.warning("send.unfinished")


def _send_all(threads: _Threads) -> None:
    looks = _LOOKS
    while looks:
        if looks == 1:
            queue.clear_flag()
        free = threads.take_free(_FULL_SECONDS)
        if sweep.is_stopping():
            threads.give_back(free)
            queue.clear_flag()
            queue.enqueue_send_again()  # for a worker that stays
            return
        sent = _send_some(threads, free) if free else 0
        is_full = sent == free
        looks = _LOOKS if sent or is_full else looks - 1
        if is_full:
            queue.enqueue_send_again()
        elif looks:
            time.sleep(_PAUSE_SECONDS)


def _send_some(threads: _Threads, free: int) -> int:
    """Claim as many as threads are free and hand them over; how many."""
    handed = 0
    try:
        begun = timezone.now()
        claimed = store.claim_waiting(most=free, now=begun, lease=policy.LEASE)
        if claimed:
            with config_version.pinned():
                config_version.current()  # once for all of them
                for item in claimed:
                    threads.send(item, begun)
                    handed += 1
    finally:
        threads.give_back(free - handed)
        release_connection()
    return handed
