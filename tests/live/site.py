"""The production process set on a database of its own on this run's server."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings

from scripts.services import free_port
from tests import databases
from tests.people import Person
from tests.processes import ROOT, Ports, Running, clean_environment, running, until
from tests.simulator_client import start


@contextmanager
def database(original: str) -> Iterator[str]:
    """A database of its own on the server of this run, a copy of `original` if that is named. Without Django's
    connection, which the thread of a browser may not use."""
    name = f"authsvc_serve_{uuid.uuid4().hex[:8]}"
    parts = settings.DATABASES["default"]
    user = f"{parts['USER']}:{parts['PASSWORD']}@" if parts["PASSWORD"] else f"{parts['USER']}@"
    server = f"postgres://{user}{parts['HOST']}:{parts['PORT'] or 5432}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {original}" if original else ""))
    try:
        yield f"{server}/{name}"
    finally:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


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
            process.wait_for(f"{self.ports.base}/readyz")
            until(lambda: "ready." in process.output, "the worker", 30)
            yield process

    @contextmanager
    def serving(self, name: str) -> Iterator[Running]:
        """One of the processes; web is up."""
        with running(["manage.py", "serve", "--only", name], **self.environment) as process:
            if name == "web":
                process.wait_for(f"{self.ports.base}/healthz")
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


@pytest.fixture(scope="session")
def _original(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[str]:
    """The name of a database that is migrated and has the demo's project, for all sites to copy."""
    with django_db_blocker.unblock(), database(databases.POSTGRES) as database_url:
        environment = _environment(database_url, folder=tmp_path_factory.mktemp("original"))
        found = Site(environment, Ports())
        if not databases.POSTGRES:
            found.run("migrate", "--verbosity", "0")
        found.run("apply", "deploy/demo.yaml")
        yield database_url.rpartition("/")[2]


def _environment(database_url: str, *, folder: Path) -> dict[str, str]:
    # A Redis database of its own beside that of this test worker: a shared queue would hand its tasks to strangers.
    server, _, number = settings.REDIS_URL.rpartition("/")
    return {
        "AUTHSVC_MODE": "test",
        "SECRET_KEY": "a-secret-key-of-this-test-0123456789-abcdefghij",
        "DATABASE_URL": database_url,
        "REDIS_URL": f"{server}/{int(number) - 4}",
        "WEB_WORKERS": "1",
        "AUTHSVC_VAR": str(folder),
    }


@pytest.fixture
def site(_original: str, tmp_path: Path) -> Iterator[Site]:
    with database(_original) as database_url:
        web = free_port()
        with start(webhook_url=f"http://localhost:{web}/whatsapp/webhook") as simulator:
            ports = Ports(web=web, simulator=int(simulator.url.rpartition(":")[2]))
            environment = _environment(database_url, folder=tmp_path) | {
                "PORT": str(web),
                "AUTHSVC_PUBLIC_URL": ports.base,
                "WHATSAPP_API_URL": f"{simulator.url}/v26.0",
                "TWILIO_API_URL": simulator.url,
            }
            import redis

            client = redis.Redis.from_url(environment["REDIS_URL"])
            client.flushdb()
            yield Site(environment, ports)
            client.flushdb()
            client.close()
