"""`manage.py serve`: the production processes of one machine, in the foreground.

Unlike other commands it is started before the apps are loaded, and loads them if its process needs them.
"""

import fcntl
import gc
import os
import runpy
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from core import env
from ops.processes import METRICS_FOLDER, Group, port_is_free, python, web
from ops.processes import Command as Process


def collect_static() -> None:
    """Collect static files when they are missing or older than their sources.

    One process at a time: two that start together would delete each other's files.
    """
    root: Path = settings.STATIC_ROOT
    manifest = root / "staticfiles.json"
    newest = max((path.stat().st_mtime for path in (settings.BASE_DIR / "static").rglob("*")), default=0.0)
    newest = max(newest, (settings.BASE_DIR / "requirements" / "base.txt").stat().st_mtime)

    def is_current() -> bool:
        return manifest.exists() and manifest.stat().st_mtime >= newest

    if is_current() or (manifest.exists() and not os.access(root.parent, os.W_OK)):
        return  # without even a lock file: the file system may be read-only
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current():
            call_command("collectstatic", interactive=False, verbosity=0)


def share_metrics() -> Path:
    """Create a folder in which the processes of this group add up their metrics (ops.metrics).

    It is named after this process; folders of processes that no longer run are deleted.
    """
    root: Path = settings.VAR_DIR / "metrics"
    root.mkdir(parents=True, exist_ok=True)
    for old in root.iterdir():
        if not Path("/proc", old.name).exists() or old.name == str(os.getpid()):
            shutil.rmtree(old, ignore_errors=True)
    folder = root / str(os.getpid())
    folder.mkdir()
    os.environ[METRICS_FOLDER] = str(folder)
    return folder


def _become(arguments: Sequence[str]) -> None:
    """Go on as `python -m MODULE …` in this process, with what it has imported already."""
    _python, _m, module, *rest = arguments
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _supervise(processes: Sequence[Process]) -> None:
    """Run them until SIGTERM. Exits when one of them ends."""
    with Group() as group:
        for process in processes:
            group.start(process)
        ended = group.wait()
    if ended:
        sys.exit(f"authsvc: {ended} ended unexpectedly, so everything was stopped; see its last lines")


class Command(BaseCommand):
    requires_system_checks = ()  # they are made once the apps are loaded
    help = "Migrates, then runs web and worker (with beat) until SIGTERM; --only runs one process, without migrating."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=("web", "worker", "beat"))

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        only: str | None = options["only"]
        port = env.integer("PORT", 8000, minimum=1, maximum=65535)
        if only in (None, "web") and not port_is_free(settings.HOST, port):
            sys.exit(f"authsvc: port {port} is in use: stop what uses it, or set PORT")
        commands = self._commands(port)
        if only and only not in commands:
            sys.exit(
                f"authsvc: without REDIS_URL the {only} is part of the web process: run `make web` or `make serve`"
            )
        self._prepare(only)
        if only:
            _become(commands[only].arguments)
        else:
            gc.enable()
            call_command("migrate", interactive=False, verbosity=1)
            # The worker has a beat of its own.
            _supervise([process for name, process in commands.items() if name != "beat"])

    def _prepare(self, only: str | None) -> None:
        """Load the apps and check the settings, unless it is beat, which needs neither. Raises SystemCheckError."""
        if not settings.EMBEDDED and only in (None, "web"):
            share_metrics()  # before anything that counts is imported
        if only == "beat":
            return
        if not apps.ready:
            django.setup()
        # A worker has no pages that could be checked.
        self.check(tags=["authsvc"] if only == "worker" else None)
        if only != "worker":
            collect_static()

    def _commands(self, port: int) -> dict[str, Process]:
        if settings.EMBEDDED:
            # Without Redis, limits and queue are in the memory of one process; worker and beat are its threads.
            command = web(host=settings.HOST, port=port, workers=1, threads=settings.WEB_THREADS)
            return {"web": Process(name="web", arguments=command)}
        workers = env.integer("WEB_WORKERS", os.cpu_count() or 1, minimum=1)
        arguments = {
            "web": web(host=settings.HOST, port=port, workers=workers, threads=settings.WEB_THREADS),
            "worker": python("-m", "authsvc.worker"),
            "beat": python("-m", "authsvc.beat"),
        }
        return {name: Process(name=name, arguments=command) for name, command in arguments.items()}
