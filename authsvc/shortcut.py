"""The short way to the API: programs have no sessions, forms, messages or pages in a language."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import resolve


class ApiMiddleware:
    """Answers /api/ before what only pages need, which is a tenth of what a call costs.

    What a view there does not refuse by itself (a host that is not ours) goes the way of all exceptions.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        request.get_host()
        match = request.resolver_match = resolve(request.path_info, urlconf="api.urls")
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response = response.render()
        response.headers.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined] # none streams
        return response
