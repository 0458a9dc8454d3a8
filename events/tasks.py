"""Periodic tasks, started by beat."""

from celery import shared_task

from events import services

POST_SECONDS = 10.0
PURGE_SECONDS = 20.0


@shared_task(name="events.tasks.post_due")  # type: ignore[untyped-decorator] # Celery is not annotated
def post_due() -> None:
    services.post_due(seconds=POST_SECONDS)


@shared_task(name="events.tasks.purge")  # type: ignore[untyped-decorator] # Celery is not annotated
def purge() -> None:
    services.purge(seconds=PURGE_SECONDS)
