"""The poll of the code page, answered before what only whole pages need."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve

STATUS = "/login/status/"


class PollMiddleware:
    """Stands behind the middleware for the language and the content policy. A poll reads no form and no session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info != STATUS:
            return self.get_response(request)
        match = request.resolver_match = _view()
        response: HttpResponseBase = match.func(request)
        response.headers["X-Frame-Options"] = settings.X_FRAME_OPTIONS
        response.headers.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined] # no stream
        return response


@cache
def _view() -> ResolverMatch:
    return resolve(STATUS, urlconf="login.urls")
