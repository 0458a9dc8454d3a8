"""The worker process: its queues and threads, and what it does without."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import LazySettings

from authsvc import worker
from authsvc.celery import app
from tests.processes import ROOT, clean_environment

NOT_NEEDED = (
    "celery.bin",
    "prompt_toolkit",
    "drf_spectacular",
    "rest_framework",
    "login.views",
    "console.dashboard",
)


class Started:
    """What Celery's worker is made with; it ends at once."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.exitcode: int | None = 3

    def __call__(self, **options: Any) -> "Started":
        self.options = options
        return self

    def start(self) -> None:
        pass


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    monkeypatch.setenv("CELERY_SKIP_CHECKS", "")
    monkeypatch.setattr(worker, "keep_what_is_loaded", lambda: None)
    made = Started()
    monkeypatch.setattr(app, "Worker", made)
    return made


@pytest.mark.parametrize(
    ("variable", "queues"),
    [(None, ["celery", "sweep"]), ("", ["celery", "sweep"]), ("sweep", ["sweep"]), ("a, b", ["a", "b"])],
)
def test_it_serves_the_queues_of_the_environment(
    variable: str | None, queues: list[str], started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKER_QUEUES", raising=False)
    if variable is not None:
        monkeypatch.setenv("WORKER_QUEUES", variable)

    with pytest.raises(SystemExit):
        worker.main()

    assert started.options["queues"] == queues


def test_it_has_the_threads_of_the_settings_and_talks_to_no_other_worker(
    started: Started, settings: LazySettings
) -> None:
    settings.WORKER_THREADS = 7

    with pytest.raises(SystemExit) as leaving:
        worker.main()

    assert leaving.value.code == 3
    assert (started.options["pool_cls"], started.options["concurrency"]) == (
        "threads",
        8,
    )  # one more: the task that hands messages out
    assert all(started.options[f"without_{what}"] for what in ("heartbeat", "gossip", "mingle"))


@pytest.mark.processes
def test_it_imports_no_pages_and_no_command_line() -> None:
    """They are a fifth of its memory."""
    script = (
        "import sys; from authsvc import worker; from authsvc.celery import app\n"
        "from celery.apps.worker import Worker\n"
        "Worker.start = lambda self: None\n"
        "try:\n    worker.main()\nexcept SystemExit: pass\n"
        "assert 'otp.tasks.watch_deliveries' in app.tasks and 'audit.tasks.purge' in app.tasks\n"
        f"print([name for name in sys.modules if name.startswith({NOT_NEEDED!r})])"
    )
    environment = clean_environment(
        AUTHSVC_MODE="test",
        REDIS_URL="redis://127.0.0.1:1/0",
        DATABASE_URL="postgres://nobody@127.0.0.1:1/none",
        SECRET_KEY="a-secret-key-of-this-test-0123456789-abcdefghij",
        PATH=os.environ["PATH"],
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
