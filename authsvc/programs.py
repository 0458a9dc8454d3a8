"""The short way of what programs call most: a login by the API, and the reports of providers.

Nearly all of the load goes this way, and Django's handler with its middleware costs more than what they do. It is only
for the usual: a POST to one of these paths, for an allowed host, that no page sent. Everything else goes through
Django, and gets the same answer: tests/authsvc/test_programs.py compares both.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import response_for_exception
from django.core.handlers.wsgi import LimitedStream, WSGIRequest
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.http import HttpRequest, HttpResponse
from django.middleware.security import SecurityMiddleware
from django.urls import resolve
from structlog.contextvars import bind_contextvars, clear_contextvars

from api import views
from api.calls import Call
from authsvc import middleware
from core import config_version, metrics
from core.addresses import block_of
from core.plain_response import PlainResponse
from webhooks.base import Webhook
from webhooks.registry import WEBHOOKS
from webhooks.views import respond

type Environ = dict[str, Any]
type StartResponse = Callable[..., object]
type Application = Callable[[Environ, Any], Iterable[bytes]]
# The view as it is called in metrics, and what answers.
type Route = tuple[str, Callable[["ProgramRequest"], PlainResponse]]

_START = "/api/v1/challenges"
_VERIFY = "/verify"
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# Hosts that were allowed: what callers send is no more than ALLOWED_HOSTS permits, and yet it may be many.
_MOST_HOSTS = 512


class ProgramRequest(WSGIRequest):
    """Django's request, without what only pages read. Its host was checked."""

    def __init__(self, environ: Environ) -> None:
        self.environ = self.META = environ
        self.path = self.path_info = environ["PATH_INFO"]
        self.method = environ["REQUEST_METHOD"]
        self._set_content_type_params(environ)  # type: ignore[attr-defined] # Django's
        # As Django does. A length that is none was not let through by the web server.
        length = environ.get("CONTENT_LENGTH") or "0"
        self._stream = LimitedStream(environ["wsgi.input"], int(length) if length.isdecimal() else 0)  # type: ignore[assignment]
        self._read_started = False
        self.resolver_match = None

    def get_host(self) -> str:
        return str(self.META["HTTP_HOST"])


class Programs:
    """The WSGI application: `django` with the short way before it."""

    def __init__(self, django: Application) -> None:
        self._django = django
        self._hosts: set[str] = set()
        self._protection = {scheme: _protection(scheme) for scheme in ("http", "https")}
        self._seconds: dict[tuple[str, int], Any] = {}
        self._start: Route = (_name(_START), _without_origin(views.Challenges()))
        self._verify_name = _name(f"{_START}/x{_VERIFY}")
        self._verify = _without_origin(views.ChallengeVerify())
        self._webhooks: Mapping[str, Route] = {
            path: (middleware.name_of(middleware.webhooks()[path]), _reporting(webhook))
            for path, webhook in WEBHOOKS.items()
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        route = self._route(environ)
        if route is None:
            return self._django(environ, start_response)
        started = time.perf_counter()
        name, answer_to = route
        request_id = middleware.request_id_of(environ)
        middleware.believe_proxies(environ)
        _close_connection()
        clear_contextvars()
        bind_contextvars(request_id=request_id, address_block=block_of(environ.get("REMOTE_ADDR", "")))
        try:
            with config_version.pinned():
                answer = answer_to(ProgramRequest(environ))
        finally:
            clear_contextvars()
            _close_connection()
        self._observe(name, answer.status, time.perf_counter() - started)
        headers = [
            *answer.headers.items(),
            *self._protection[environ["wsgi.url_scheme"]],
            ("Content-Length", str(len(answer.body))),
            ("X-Request-ID", request_id),
        ]
        start_response(_STATUS_LINES[answer.status], headers)
        return [answer.body]

    def _route(self, environ: Environ) -> Route | None:
        if environ["REQUEST_METHOD"] != "POST" or "HTTP_ORIGIN" in environ:
            return None
        if environ["wsgi.url_scheme"] not in self._protection:
            return None
        path: str = environ["PATH_INFO"]
        route = self._start if path == _START else self._webhooks.get(path) or self._verify_route(path)
        return route if route and self._is_allowed(environ.get("HTTP_HOST", "")) else None

    def _verify_route(self, path: str) -> Route | None:
        if not (path.startswith(f"{_START}/") and path.endswith(_VERIFY) and path.isascii()):
            return None
        challenge = path[len(_START) + 1 : -len(_VERIFY)]
        if not challenge or "/" in challenge:
            return None
        return self._verify_name, lambda request: self._verify(request, id=challenge)

    def _is_allowed(self, host: str) -> bool:
        if host in self._hosts:
            return True
        try:
            _asked_for(host).get_host()
        except DisallowedHost:
            return False
        if len(self._hosts) < _MOST_HOSTS:
            self._hosts.add(host)
        return True

    def _observe(self, name: str, status: int, seconds: float) -> None:
        histogram = self._seconds.get((name, status))
        if histogram is None:
            histogram = self._seconds[name, status] = metrics.REQUESTS.labels(name, str(status))
        histogram.observe(seconds)


def _name(path: str) -> str:
    """Of a view of the API, in metrics."""
    return middleware.name_of(resolve(path, urlconf="api.urls"))


def _asked_for(host: str) -> HttpRequest:
    request = HttpRequest()
    request.META = {"HTTP_HOST": host}
    return request


def _protection(scheme: str) -> list[tuple[str, str]]:
    """The headers that protect every answer."""
    request = WSGIRequest({"REQUEST_METHOD": "GET", "wsgi.input": BytesIO(), "wsgi.url_scheme": scheme})
    response: Any = SecurityMiddleware(lambda _request: HttpResponse())(request)
    del response.headers["Content-Type"]
    return list(response.headers.items())


def _without_origin(call: Call) -> Callable[..., PlainResponse]:
    """A call of the API. Caches are told that it would differ for a page (oidc.cors)."""

    def answer(request: ProgramRequest, **path: str) -> PlainResponse:
        answered = call.answer(request, **path)
        answered.headers["Vary"] = "Origin"
        return answered

    return answer


def _reporting(webhook: Webhook) -> Callable[[ProgramRequest], PlainResponse]:
    def answer(request: ProgramRequest) -> PlainResponse:
        try:
            return respond(webhook, request)
        except Exception as error:  # noqa: BLE001 # as Django's handler does
            response: Any = response_for_exception(request, error)
            headers = dict(response.headers.items())
            return PlainResponse(status=response.status_code, headers=headers, body=response.content)

    return answer


def _close_connection() -> None:
    """As Django does around each request. The statements of a login need none: core.prepared."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.connection is not None and not wrapper.in_atomic_block:  # the transaction of a test
        close_old_connections()


def is_watched() -> bool:
    """Traces and Sentry follow Django's handler."""
    return bool(settings.SENTRY_DSN or settings.OTEL_EXPORTER_OTLP_ENDPOINT)
