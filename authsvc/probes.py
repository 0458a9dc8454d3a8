"""What machines ask: they call us by addresses and container names that are no host of the login pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from authsvc import health, scrape

VIEWS: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/metrics": scrape.metrics,
}


class ProbeMiddleware:
    """Answers before anything looks at the Host header, which none of these uses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = VIEWS.get(request.path_info)
        return view(request) if view else self.get_response(request)
