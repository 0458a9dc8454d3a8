"""What beat does: keep the rollups."""

from celery import shared_task

from stats import rollup

# Beat enqueues it every minute; it must be over by the next one.
KEEP_SECONDS = 30.0


@shared_task(name="stats.tasks.keep")  # type: ignore[untyped-decorator] # Celery is not annotated
def keep() -> None:
    rollup.keep(seconds=KEEP_SECONDS)
