"""One id through a request, the tasks that it rings for and their log lines; and how long requests take.

`X-Request-ID` of a trusted proxy is kept, everybody else gets a new one; the answer carries it.
"""

import re
import time
import uuid
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from celery.signals import before_task_publish, task_postrun, task_prerun
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from authsvc.middleware import is_trusted
from projects import config, metrics

log = structlog.get_logger(__name__)

_SAFE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,64}")
# Of Celery's messages; what a request knows of itself goes along.
_HEADER = "authsvc_request_id"
_NAMES = {"/healthz", "/readyz", "/metrics"}


def new_request_id() -> str:
    return uuid.uuid4().hex


class RequestContextMiddleware:
    """First of all: whatever is logged while a request is answered carries its id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        believed = is_trusted(request.META.get("REMOTE_ADDR", "")) and _SAFE_ID.fullmatch(given)
        request_id = given if believed else new_request_id()
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        begun = time.perf_counter()
        try:
            with config.one_reading():
                response = self.get_response(request)
        finally:
            clear_contextvars()
        response["X-Request-ID"] = request_id
        if request.path not in _NAMES:
            match = request.resolver_match
            view = (match.view_name or match.func.__name__) if match else "none"
            seconds = time.perf_counter() - begun
            metrics.REQUESTS.labels(view, str(response.status_code)).observe(seconds)
        return response


@before_task_publish.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _send_along(headers: MutableMapping[str, Any], **_: object) -> None:
    request_id = get_contextvars().get("request_id")
    if request_id:
        headers[_HEADER] = request_id


@task_prerun.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _take_up(task: Any, **_: object) -> None:  # noqa: ANN401 # Celery is not annotated
    clear_contextvars()
    request_id = task.request.get(_HEADER) or (task.request.headers or {}).get(_HEADER)
    if request_id:
        bind_contextvars(request_id=request_id)


@task_postrun.connect  # type: ignore[untyped-decorator] # Celery is not annotated
def _put_down(**_: object) -> None:
    clear_contextvars()
