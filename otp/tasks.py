"""What workers do: one thin task per step. An id comes in; the database says what is left to do."""

import uuid

from celery import shared_task

from otp import bell, delivery, fallback, liveness, retention, watch

# Beat rings for a purge every minute; it must be over by the next one.
PURGE_SECONDS = 20.0


@shared_task(name="otp.tasks.send_delivery")  # type: ignore[untyped-decorator] # Celery is not annotated
def send_delivery(delivery_id: str) -> None:
    if watch.is_stopping():
        bell.ring_send(uuid.UUID(delivery_id))  # for a worker that stays
        return
    delivery.send_delivery(delivery_id=uuid.UUID(delivery_id))


@shared_task(name="otp.tasks.fall_back")  # type: ignore[untyped-decorator] # Celery is not annotated
def fall_back(delivery_id: str) -> None:
    if watch.is_stopping():
        bell.ring_fall_back(uuid.UUID(delivery_id))
        return
    added = fallback.fall_back(delivery_id=uuid.UUID(delivery_id))
    if added:
        delivery.send_delivery(delivery_id=added)


@shared_task(name="otp.tasks.watch_deliveries")  # type: ignore[untyped-decorator] # Celery is not annotated
def watch_deliveries() -> None:
    watch.watch_deliveries()


@shared_task(name="otp.tasks.purge")  # type: ignore[untyped-decorator] # Celery is not annotated
def purge() -> None:
    retention.purge(seconds=PURGE_SECONDS)


@shared_task(name="otp.tasks.echo")  # type: ignore[untyped-decorator] # Celery is not annotated
def echo(token: str) -> None:
    liveness.echo(token)
