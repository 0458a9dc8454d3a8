"""Periodic tasks, started by beat."""

from celery import shared_task

from oidc import backchannel, retention

POST_SECONDS = 10.0
PURGE_SECONDS = 20.0


@shared_task(name="oidc.tasks.post_logouts")  # type: ignore[untyped-decorator] # Celery is not annotated
def post_logouts() -> None:
    backchannel.post_due(seconds=POST_SECONDS)


@shared_task(name="oidc.tasks.purge")  # type: ignore[untyped-decorator] # Celery is not annotated
def purge() -> None:
    retention.purge(seconds=PURGE_SECONDS)
