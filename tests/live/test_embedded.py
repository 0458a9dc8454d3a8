"""Worker and beat in the web process: a task begins at once, and idling costs next to nothing."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, clean_environment

pytestmark = pytest.mark.processes

SCRIPT = """
import json, time
import django
django.setup()
from authsvc.celery import app
from authsvc import embedded
took = []
@app.task(name="tests.measure")
def measure(sent):
    took.append(time.time() - sent)
embedded.start()
embedded.start()
for _ in range(20):
    time.sleep(0.1)
    app.send_task("tests.measure", args=[time.time()])
deadline = time.time() + 5
while len(took) < 20 and time.time() < deadline:
    time.sleep(0.01)
begun = time.process_time()
time.sleep(2)
print("RESULT", json.dumps({"took": took, "idle": (time.process_time() - begun) / 2}))
"""


def test_a_task_begins_within_fifty_milliseconds(tmp_path: Path) -> None:
    import json

    environment = clean_environment(
        AUTHSVC_MODE="demo",
        AUTHSVC_VAR=str(tmp_path),
        DJANGO_SETTINGS_MODULE="authsvc.settings",
        PYTHONPATH=str(ROOT),
    )
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True
    )
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    result = json.loads(line.removeprefix("RESULT"))
    assert len(result["took"]) == 20
    assert statistics.median(result["took"]) < 0.05 * (3 if os.environ.get("CI") else 1)
    assert result["idle"] < 0.15
