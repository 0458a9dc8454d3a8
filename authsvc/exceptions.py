"""Error responses outside the views: problem+json under /api/, an error page elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from api import problems
from login.error_pages import error_page
from login.pages import private


def _response(request: HttpRequest, status: int) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return problems.answer(problems.of_status(status)).as_response()
    return private(error_page(request, status))


def bad_request(request: HttpRequest, exception: Any) -> HttpResponse:  # noqa: ANN401, ARG001 # Django's signature
    """A host that is not allowed, or a request that Django cannot parse."""
    return _response(request, 400)


def permission_denied(request: HttpRequest, exception: Any) -> HttpResponse:  # noqa: ANN401, ARG001 # Django's signature
    return _response(request, 403)


def not_found(request: HttpRequest, exception: Any) -> HttpResponse:  # noqa: ANN401, ARG001 # Django's signature
    return _response(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _response(request, 500)
