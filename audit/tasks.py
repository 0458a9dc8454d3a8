"""The task that beat runs here."""

from celery import shared_task

from audit import retention

PURGE_SECONDS = 20.0


@shared_task(name="audit.tasks.purge")  # type: ignore[untyped-decorator] # Celery is not annotated
def purge() -> None:
    retention.purge(seconds=PURGE_SECONDS)
