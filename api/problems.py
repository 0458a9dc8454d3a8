"""Errors under /api/ as RFC 9457 problem+json. The one place that turns exceptions into answers."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core import signals
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions

from abuse.errors import RateLimited
from abuse.throttle import TooMany
from api.errors import Problem
from api.http import json_answer
from core.errors import DomainError
from core.plain_response import PlainResponse
from otp import errors as otp_errors
from users.phones import InvalidPhone

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"


def answer(problem: Problem) -> PlainResponse:
    log.info("api.refused", problem=problem.code, status=problem.status)
    refusal = json_answer(problem.body(), status=problem.status, content_type=CONTENT_TYPE)
    refusal.headers |= problem.headers
    return refusal


def refuse(error: Exception, *, view: type, request: HttpRequest) -> PlainResponse:
    """The answer to whatever a view of the API raised."""
    problem = of(error)
    if problem.code == "internal_error":
        log.error("api.crashed", view=view.__name__, exc_info=error)
        signals.got_request_exception.send(sender=view, request=request)
    return answer(problem)


def handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER, for the schema, which DRF serves."""
    return refuse(error, view=type(context["view"]), request=context["request"]).as_response()


_DRF_CODES: Mapping[type[Exception], str] = {
    exceptions.MethodNotAllowed: "method_not_allowed",  # the view adds Allow to every answer
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
}


def of(error: Exception) -> Problem:
    """The problem of an exception; `internal_error` for unexpected ones."""
    match error:
        case Problem():
            return error
        case RateLimited(wait_seconds=wait) | TooMany(wait_seconds=wait):
            return Problem("rate_limited", headers={"Retry-After": str(wait)})
        case DomainError():
            return _of_challenge(error)
        case InvalidPhone(problem=reason):
            return Problem("invalid_phone", reason=reason.value)
        case BadRequest() | SuspiciousOperation():
            return Problem("invalid_request")  # Django could not read it: too many parameters, for one
        case OperationalError() | InterfaceError():
            # Without the message of the error, which can quote values.
            log.error("api.database_away", error=type(error).__name__)
            return Problem("unavailable")
    return Problem(_DRF_CODES.get(type(error), "internal_error"))


def _of_challenge(error: DomainError) -> Problem:
    match error:
        case otp_errors.WrongCode(attempts_left=left):
            return Problem("wrong_code", attempts_left=left)
        case otp_errors.NotACode(length=length):
            reason = f"must be the {length} digits of the code"
            return Problem("invalid_request", f"code {reason}.", invalid_params={"code": reason})
        case otp_errors.WrongPurpose():
            return Problem("invalid_request", "The challenge was started for another purpose.")
    return Problem(error.code)


def of_status(status: int) -> Problem:
    """For answers that Django gives without our views: a wrong host, an unknown path, a crash.

    What else a middleware refuses (403) is the caller's fault as well, and no crash of ours.
    """
    if status == 404:
        return Problem("not_found")
    return Problem("invalid_request" if status < 500 else "internal_error")


def unknown_path(_request: HttpRequest) -> HttpResponse:
    """Any unknown path under /api/."""
    return answer(of_status(404)).as_response()
