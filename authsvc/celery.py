"""The Celery application: `celery -A authsvc worker`, `celery -A authsvc beat`."""

import os
import sys

from celery import Celery
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authsvc.settings")

app = Celery("authsvc")
app.config_from_object("django.conf:settings", namespace="CELERY")
try:
    app.autodiscover_tasks(["otp"])
    _ = app.conf.broker_url  # reads the settings now, so that a wrong one stops the start with one line
except ImproperlyConfigured as error:
    sys.exit(f"authsvc: {error}")
