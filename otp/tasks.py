"""What workers do: one thin task per step. An id comes in; the database says what is left to do."""

import uuid

from celery import shared_task

from otp import delivery, fallback, retention, watch


@shared_task(name="otp.tasks.send_delivery")  # type: ignore[untyped-decorator] # Celery is not annotated
def send_delivery(delivery_id: str) -> None:
    delivery.send_delivery(delivery_id=uuid.UUID(delivery_id))


@shared_task(name="otp.tasks.fall_back")  # type: ignore[untyped-decorator] # Celery is not annotated
def fall_back(delivery_id: str) -> None:
    added = fallback.fall_back(delivery_id=uuid.UUID(delivery_id))
    if added:
        delivery.send_delivery(delivery_id=added)


@shared_task(name="otp.tasks.watch_deliveries")  # type: ignore[untyped-decorator] # Celery is not annotated
def watch_deliveries() -> None:
    watch.watch_deliveries()


@shared_task(name="otp.tasks.purge")  # type: ignore[untyped-decorator] # Celery is not annotated
def purge() -> None:
    retention.purge()
