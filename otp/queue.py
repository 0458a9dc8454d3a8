"""Tasks for workers, enqueued after the commit. Losing one is harmless: the sweep finds every delivery that waits."""

import uuid

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from core import metrics

log = structlog.get_logger(__name__)


def enqueue_send(delivery_id: uuid.UUID) -> None:
    _enqueue("otp.tasks.send_delivery", delivery_id)


def enqueue_fallback(delivery_id: uuid.UUID) -> None:
    """The delivery did not arrive: a worker decides about the next channel."""
    _enqueue("otp.tasks.fall_back", delivery_id)


def _enqueue(task: str, delivery_id: uuid.UUID) -> None:
    try:
        current_app.send_task(task, args=[str(delivery_id)])
    except (OperationalError, OSError) as error:
        metrics.ENQUEUE_FAILURES.inc()
        log.warning("enqueue.failed", delivery_id=str(delivery_id), error=type(error).__name__)
