"""What is answered when no view of ours did: problem+json under /api/, Django's pages elsewhere."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from api import problems


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def bad_request(request: HttpRequest, exception: Any) -> HttpResponse:  # noqa: ANN401 # Django's signature
    """A host that is not ours, or a request that Django cannot read."""
    if _is_api(request):
        return problems.answer(problems.of_status(400))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        return problems.answer(problems.of_status(500))
    return defaults.server_error(request)
