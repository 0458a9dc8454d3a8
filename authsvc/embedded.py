"""Worker and beat in threads of the web process, for one machine and one process (no Redis, no broker).

The broker is kombu's in-memory transport, which exists inside this process only. Nothing is lost with it, because the
database knows what is left to do.
"""

import atexit
import threading

import structlog
from celery.worker import WorkController
from django.conf import settings

from authsvc.beat import Beat
from authsvc.celery import app
from otp import sweep

log = structlog.get_logger(__name__)

_started = threading.Lock()
_ready = threading.Event()


class _Worker(WorkController):  # type: ignore[misc] # Celery is not annotated
    """A worker that leaves signals to the web server and announces when it is ready for tasks."""

    def on_consumer_ready(self, _consumer: object) -> None:
        _ready.set()


def start() -> None:
    """Start both threads once in this process; returns when the worker is ready, after 10 s at most."""
    if not _started.acquire(blocking=False):
        return
    app.finalize()
    worker = _Worker(
        app=app, hostname="embedded@localhost", pool_cls="threads", concurrency=settings.WORKER_THREADS + 1,
        loglevel="WARNING", queues=["celery", "sweep"], without_heartbeat=True, without_mingle=True,
        without_gossip=True,
    )  # fmt: skip
    beat = Beat()
    threading.Thread(target=worker.start, name="celery-worker", daemon=True).start()
    beat.start()

    def stop() -> None:
        sweep.stop()
        beat.stop()
        worker.stop()

    atexit.register(stop)
    if not _ready.wait(timeout=10):
        log.error("embedded.worker_not_ready")
