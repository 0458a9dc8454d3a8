"""Everything that is refused under /api/, as RFC 9457 problem+json. The one place that turns errors into answers."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core import signals
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions

from api.errors import Problem
from otp import errors as otp_errors
from users.phones import InvalidPhone

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"


def answer(problem: Problem) -> HttpResponse:
    log.info("api.refused", problem=problem.code, status=problem.status)
    response = JsonResponse(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-store"
    for name, value in problem.headers.items():
        response.headers[name] = value
    # Django would log the path, and that may hold a challenge's id, which is a bearer value.
    response._has_been_logged = True  # type: ignore[attr-defined] # noqa: SLF001 # django.utils.log.log_response
    return response


def handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER: whatever a view of the API raised."""
    problem = of(error)
    if problem.code == "internal_error":
        view = type(context["view"])
        log.error("api.crashed", view=view.__name__, exc_info=error)
        signals.got_request_exception.send(sender=view, request=context["request"])
    return answer(problem)


_OF_DRF: Mapping[type[Exception], str] = {
    exceptions.MethodNotAllowed: "method_not_allowed",  # the view adds Allow to every answer
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}


def of(error: Exception) -> Problem:
    """The problem that an exception is; `internal_error` for what nobody foresaw."""
    match error:
        case Problem():
            return error
        case otp_errors.WrongCode(attempts_left=left):
            return Problem("wrong_code", attempts_left=left)
        case otp_errors.RateLimited(wait_seconds=wait):
            return Problem("rate_limited", headers={"Retry-After": str(wait)})
        case otp_errors.OtpError(code=code):
            return Problem(code)
        case InvalidPhone(problem=reason):
            return Problem("invalid_phone", reason=reason.value)
        case OperationalError() | InterfaceError():
            # Without its text, which can quote values.
            log.error("api.database_away", error=type(error).__name__)
            return Problem("unavailable")
    return Problem(_OF_DRF.get(type(error), "internal_error"))


def of_status(status: int) -> Problem:
    """For what Django answers before or after any view of ours: a wrong host, a path that is none, a crash."""
    code = {400: "invalid_request", 404: "not_found"}.get(status, "internal_error")
    return Problem(code)


def unknown_path(_request: HttpRequest) -> HttpResponse:
    """Every path under /api/ that is none."""
    return answer(of_status(404))
