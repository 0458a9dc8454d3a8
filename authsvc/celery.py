"""The Celery application: `celery -A authsvc worker`, `celery -A authsvc beat`."""

import os
import sys

from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")

from authsvc import tracing  # noqa: F401 # its signals carry request ids through the queue

app = Celery("authsvc")


@worker_shutting_down.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _finish(**_: object) -> None:
    """SIGTERM: messages under way are finished, nothing more is claimed."""
    from otp import watch  # late: the apps are loaded by then

    watch.stop()


@worker_ready.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _show_counts(**_: object) -> None:
    from django.conf import settings

    from authsvc import scrape

    if settings.METRICS_PORT:
        scrape.serve_counts(address=settings.METRICS_ADDRESS, port=settings.METRICS_PORT)


app.config_from_object("django.conf:settings", namespace="CELERY")
try:
    app.autodiscover_tasks(["events", "otp", "oidc", "login"])
    _ = app.conf.broker_url  # reads the settings now, so that a wrong one stops the start with one line
except ImproperlyConfigured as error:
    sys.exit(f"authsvc: {error}")
