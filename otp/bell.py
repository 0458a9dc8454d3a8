"""The doorbell: tells a worker that a delivery waits. It may be lost without harm, the sweep finds what waits."""

import uuid

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from projects import metrics

log = structlog.get_logger(__name__)


def _ring(task: str, delivery_id: uuid.UUID) -> None:
    try:
        current_app.send_task(task, args=[str(delivery_id)])
    except (OperationalError, OSError) as error:
        metrics.BELLS_LOST.inc()
        log.warning("bell.lost", delivery_id=str(delivery_id), error=type(error).__name__)


def ring_send(delivery_id: uuid.UUID) -> None:
    """Somebody please send this delivery."""
    _ring("otp.tasks.send_delivery", delivery_id)


def ring_fall_back(delivery_id: uuid.UUID) -> None:
    """This delivery did not arrive: somebody please see to the next channel."""
    _ring("otp.tasks.fall_back", delivery_id)
