"""The production process set on a database of its own on this run's server."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from scripts.services import free_port
from simulator.testing import start
from tests.people import Person
from tests.processes import ROOT, Ports, Running, answers, clean_environment, running, until


@contextmanager
def _database() -> Iterator[str]:
    """A database of its own on the server of this run."""
    name = f"authsvc_serve_{uuid.uuid4().hex[:8]}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    parts = connection.settings_dict
    user = f"{parts['USER']}:{parts['PASSWORD']}@" if parts["PASSWORD"] else f"{parts['USER']}@"
    try:
        yield f"postgres://{user}{parts['HOST']}:{parts['PORT'] or 5432}/{name}"
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Site:
    environment: dict[str, str]
    ports: Ports

    def run(self, *arguments: str) -> str:
        """What a command of manage.py prints. Raises CalledProcessError."""
        return self.ask(*arguments, check=True).stdout

    def ask(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=clean_environment(**self.environment),
            check=check,
            capture_output=True,
            text=True,
        )

    @contextmanager
    def served(self) -> Iterator[Running]:
        with running(["manage.py", "serve"], **self.environment) as process:
            until(
                lambda: process.process.poll() is not None or answers(f"{self.ports.base}/readyz"),
                "ready",
                60,
            )
            assert process.process.poll() is None, process.output
            until(lambda: "ready." in process.output, "the worker", 30)
            yield process

    @contextmanager
    def serving(self, name: str) -> Iterator[Running]:
        """One of the processes; web is up."""
        with running(["manage.py", "serve", "--only", name], **self.environment) as process:
            if name == "web":
                until(lambda: answers(f"{self.ports.base}/healthz"), "up", 60)
            yield process


type Meet = Callable[[str], Person]


@pytest.fixture
def meet(site: Site) -> Iterator[Meet]:
    """Somebody new with this number; they leave with the test."""
    with ExitStack() as leaving:

        def person(phone: str) -> Person:
            found = Person(site.ports, phone)
            leaving.callback(found.close)
            return found

        yield person


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    # A Redis database of its own beside that of this test worker: a shared queue would hand its tasks to strangers.
    server, _, number = settings.REDIS_URL.rpartition("/")
    beside = int(number) - 4
    with _database() as database_url:
        web = free_port()
        with start(webhook_url=f"http://localhost:{web}/whatsapp/webhook") as simulator:
            ports = Ports(web=web, simulator=int(simulator.url.rpartition(":")[2]))
            environment = {
                "AUTHSVC_MODE": "test",
                "SECRET_KEY": "a-secret-key-of-this-test-0123456789-abcdefghij",
                "DATABASE_URL": database_url,
                "REDIS_URL": f"{server}/{beside}",
                "PORT": str(web),
                "WEB_WORKERS": "2",
                "AUTHSVC_PUBLIC_URL": ports.base,
                "WHATSAPP_API_URL": f"{simulator.url}/v26.0",
                "TWILIO_API_URL": simulator.url,
                "AUTHSVC_VAR": str(tmp_path),
            }
            import redis

            client = redis.Redis.from_url(environment["REDIS_URL"])
            client.flushdb()
            found = Site(environment, ports)
            found.run("migrate", "--verbosity", "0")
            found.run("apply", "deploy/demo.yaml")
            yield found
            client.flushdb()
            client.close()
