"""What beat rings for is there, and rings in the queue of sweeps."""

import json
import subprocess
import sys

from django.conf import settings

from tests.processes import ROOT, clean_environment

# As a worker finds its tasks: by what the Celery application looks for, not by what a test imported.
_WORKER = """
import json
from authsvc.celery import app
app.loader.import_default_modules()
print(json.dumps(sorted(app.tasks)))
"""


def test_every_task_of_the_schedule_exists_and_has_its_queue() -> None:
    environment = clean_environment(AUTHSVC_MODE="test", DATABASE_URL="sqlite:///:memory:")
    command = [sys.executable, "-c", _WORKER]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    wanted = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert wanted <= set(json.loads(done.stdout.splitlines()[-1]))
    assert wanted == set(settings.CELERY_TASK_ROUTES)
