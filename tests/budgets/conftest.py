"""The WSGI application as the web server calls it, with a project, people and messages before it."""

import io
import json
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import LazySettings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from authsvc import programs
from oidc import keys
from oidc.models import Algorithm
from projects.config import ProjectConfig
from tests import factories

HOST = "testserver"
# Numbers that were never used in a test: each run of a path takes another.
_NUMBERS = count(51_000_000)


def new_number() -> str:
    return f"+852{next(_NUMBERS)}"


class Service:
    """Calls without a test client, whose own functions would be counted. `cookies` are those of one browser."""

    def __init__(self) -> None:
        self.application = programs.Programs(WSGIHandler())
        self.cookies: dict[str, str] = {}

    def call(
        self, method: str, path: str, body: bytes = b"", *, kind: str = "application/json", **headers: str
    ) -> tuple[int, bytes]:
        """The status and the body. `headers` as in a WSGI environment."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "",
            "SERVER_NAME": HOST, "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": HOST,
            "REMOTE_ADDR": "203.0.113.7", "CONTENT_LENGTH": str(len(body)), "HTTP_ACCEPT_LANGUAGE": "en",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False, **headers,
        }  # fmt: skip
        if body:
            environ["CONTENT_TYPE"] = kind
        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answered: list[tuple[str, list[tuple[str, str]]]] = []
        response = self.application(environ, lambda status, sent: answered.append((status, sent)))
        content = b"".join(response)
        getattr(response, "close", list)()
        status, sent = answered[0]
        for name, value in sent:
            if name == "Set-Cookie":
                self.cookies |= {key: morsel.value for key, morsel in SimpleCookie(value).items()}
        return int(status[:3]), content

    def post(self, path: str, body: object, **headers: str) -> Any:
        """The JSON that an API call answers."""
        status, content = self.call("POST", path, json.dumps(body).encode(), **headers)
        assert status in (200, 201), content
        return json.loads(content)

    def form(self, path: str, **fields: str) -> int:
        fields = {"csrfmiddlewaretoken": self.cookies["csrftoken"], **fields}
        body = urlencode(fields).encode()
        return self.call("POST", path, body, kind="application/x-www-form-urlencoded")[0]


@pytest.fixture
def service(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The database connection stays, as in a pool."""
    monkeypatch.setattr(programs, "_close_connection", lambda: None)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Service()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def project(transactional_db: None, settings: LazySettings) -> ProjectConfig:
    """Its limits are counted and never reached."""
    names = (
        "send.address",
        "send.block",
        "send.project",
        "send.range.hour",
        "send.range.day",
        "send.country",
    )
    settings.AUTHSVC_LIMITS = {**settings.AUTHSVC_LIMITS, **dict.fromkeys(names, "1000000/1h")}
    made = factories.make_project()
    factories.make_client(made, algorithm=Algorithm.ES256)
    keys.rotate(Algorithm.ES256, only_first=True)
    return made


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the tasks that were published; nobody runs them."""
    from celery import current_app

    published: list[str] = []
    publish: Callable[..., None] = lambda name, *_, **__: published.append(name)  # noqa: E731
    monkeypatch.setattr(current_app, "send_task", publish)
    return published
