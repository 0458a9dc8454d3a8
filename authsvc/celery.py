"""The Celery application: `celery -A authsvc worker`, with a beat (`authsvc.beat`) in a thread of it."""

import os
import sys
from collections.abc import MutableMapping
from typing import Any

from celery import Celery
from celery.signals import (
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.core.exceptions import ImproperlyConfigured
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")

app = Celery("authsvc")

# The header of Celery's messages that carries the id of the request that enqueued them.
_REQUEST_ID = "authsvc_request_id"


@before_task_publish.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _add_request_id(headers: MutableMapping[str, Any], **_: object) -> None:
    request_id = get_contextvars().get("request_id")
    if request_id:
        headers[_REQUEST_ID] = request_id


@task_prerun.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _bind_request_id(task: Any, **_: object) -> None:  # noqa: ANN401 # Celery is not annotated
    clear_contextvars()
    request_id = task.request.get(_REQUEST_ID) or (task.request.headers or {}).get(_REQUEST_ID)
    if request_id:
        bind_contextvars(request_id=request_id)


@task_postrun.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _clear_request_id(**_: object) -> None:
    clear_contextvars()


@worker_shutting_down.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _stop_sweep(**_: object) -> None:
    """SIGTERM: messages being sent are finished, no more are claimed."""
    from otp import sweep  # late: the apps are loaded by then

    sweep.stop()


@worker_shutdown.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _finish_sends(**_: object) -> None:
    """All tasks are over; their messages may still be at a provider."""
    from otp import waiting

    waiting.finish()


@worker_ready.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _serve_metrics(**_: object) -> None:
    from django.conf import settings

    from ops import metrics

    if settings.METRICS_PORT:
        metrics.serve_counters(address=settings.METRICS_ADDRESS, port=settings.METRICS_PORT)


app.config_from_object("django.conf:settings", namespace="CELERY")
try:
    app.autodiscover_tasks(["projects", "events", "otp", "oidc", "login", "stats", "audit"])
    # Reads the settings now, so that a wrong one stops the start with one line. Reading the broker's URL would not:
    # Celery takes that from the environment.
    _ = app.conf.task_serializer
except ImproperlyConfigured as error:
    sys.exit(f"authsvc: {error}")
