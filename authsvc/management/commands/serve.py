"""`manage.py serve`: the production processes of one machine, in the foreground."""

import fcntl
import os
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from authsvc.processes import Command as Process
from authsvc.processes import Group, port_is_free, python, web
from authsvc.scrape import DIRECTORY as METRICS_FOLDER


def _number(name: str, default: int) -> int:
    raw = os.environ.get(name, "") or str(default)
    if not raw.isdigit() or int(raw) < 1:
        sys.exit(f"authsvc: {name} must be a whole number above 0")
    return int(raw)


def collect_static() -> None:
    """Static files under hashed names, made when they are missing or older than their sources.

    One process at a time: two that start together would take files from under each other.
    """
    root: Path = settings.STATIC_ROOT
    manifest = root / "staticfiles.json"
    newest = max((path.stat().st_mtime for path in (settings.BASE_DIR / "static").rglob("*")), default=0.0)
    newest = max(newest, (settings.BASE_DIR / "requirements" / "base.txt").stat().st_mtime)

    def is_made() -> bool:
        return manifest.exists() and manifest.stat().st_mtime >= newest

    if is_made():
        return  # nothing is written, not even a lock: the file system may be read-only
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_made():
            call_command("collectstatic", interactive=False, verbosity=0)


def share_counts() -> Path:
    """A fresh folder in which the processes started from here add up their metrics (authsvc.scrape).

    Named by our process: those of processes that are gone are removed.
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


class Command(BaseCommand):
    help = "Migrates, then runs web, worker and beat until SIGTERM; `--only` runs one of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=("web", "worker", "beat"))

    def handle(self, *_args: Any, **options: Any) -> None:  # noqa: ANN401 # Django's signature
        only: str | None = options["only"]
        port = _number("PORT", 8000)
        if only in (None, "web"):
            if not port_is_free(port):
                sys.exit(f"authsvc: port {port} is in use: stop what uses it, or set PORT")
            collect_static()
        if only is None:
            call_command("migrate", interactive=False, verbosity=1)
        commands = self._commands(port)
        if only and only not in commands:
            sys.exit(
                f"authsvc: without REDIS_URL the {only} is part of the web process: run `make web` or `make serve`"
            )
        if not settings.EMBEDDED and only in (None, "web"):
            share_counts()
        if only:
            # One process: no supervisor between it and whoever runs us.
            arguments = commands[only].arguments
            os.execv(arguments[0], list(arguments))  # noqa: S606 # our own command
        with Group() as group:
            for process in commands.values():
                group.start(process)
            ended = group.wait()
        if ended:
            sys.exit(f"authsvc: {ended} ended by itself, so everything was stopped; its last lines say why")

    def _commands(self, port: int) -> dict[str, Process]:
        threads = _number("WEB_THREADS", settings.WEB_THREADS)
        if settings.EMBEDDED:
            # Without Redis limits and queue live in one process, and worker and beat are threads of it.
            return {
                "web": Process(
                    name="web", arguments=web(port=port, workers=1, threads=threads), environment={}
                )
            }
        workers = _number("WEB_WORKERS", os.cpu_count() or 1)
        celery = python("-m", "celery", "-A", "authsvc", "--quiet")
        arguments = {
            "web": web(port=port, workers=workers, threads=threads),
            "worker": [
                *celery, "worker", "--pool", "threads", "--concurrency", str(settings.WORKER_THREADS),
                "--queues", os.environ.get("WORKER_QUEUES") or "celery,sweep", "--loglevel", "INFO",
                "--without-heartbeat", "--without-gossip", "--without-mingle",
            ],
            "beat": [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--loglevel", "INFO", "--pidfile="],
        }  # fmt: skip
        return {
            name: Process(name=name, arguments=command, environment={}) for name, command in arguments.items()
        }
