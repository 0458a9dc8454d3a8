"""Periodic tasks, started by beat."""

from celery import shared_task

from projects import removal

_SECONDS = 20.0


@shared_task(name="projects.tasks.remove_projects")  # type: ignore[untyped-decorator] # Celery is not annotated
def remove_projects() -> None:
    """Continue the deletions that staff have started."""
    removal.continue_removals(seconds=_SECONDS)
