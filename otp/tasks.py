"""What workers do: one thin task per step. An id comes in; the database says what is left to do."""

import uuid

from celery import shared_task

from otp import heartbeat, queue, retention, send, sweep, waiting

# Beat enqueues a purge every minute; it must be over by the next one.
PURGE_SECONDS = 20.0


@shared_task(name="otp.tasks.send_waiting")  # type: ignore[untyped-decorator] # Celery is not annotated
def send_waiting() -> None:
    waiting.send_waiting()


@shared_task(name="otp.tasks.send_delivery")  # type: ignore[untyped-decorator] # Celery is not annotated
def send_delivery(delivery_id: str) -> None:
    """One by its id, as releases before `send_waiting` enqueue it."""
    if sweep.is_stopping():
        queue.enqueue_send(uuid.UUID(delivery_id))  # for a worker that stays
        return
    send.send_delivery(delivery_id=uuid.UUID(delivery_id))


@shared_task(name="otp.tasks.fall_back")  # type: ignore[untyped-decorator] # Celery is not annotated
def fall_back(delivery_id: str) -> None:
    if sweep.is_stopping():
        queue.enqueue_fallback(uuid.UUID(delivery_id))
        return
    send.fall_back(delivery_id=uuid.UUID(delivery_id))


@shared_task(name="otp.tasks.watch_deliveries")  # type: ignore[untyped-decorator] # Celery is not annotated
def watch_deliveries() -> None:
    sweep.watch_deliveries()


@shared_task(name="otp.tasks.purge")  # type: ignore[untyped-decorator] # Celery is not annotated
def purge() -> None:
    retention.purge(seconds=PURGE_SECONDS)


@shared_task(name="otp.tasks.echo")  # type: ignore[untyped-decorator] # Celery is not annotated
def echo(token: str) -> None:
    heartbeat.echo(token)
