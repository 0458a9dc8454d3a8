"""One path of the API, from Django's request to the answer.

DRF describes the calls (api.schema) and checks bodies (api.serializers). Its request, its negotiation and its dispatch
are not used: they cost as much as all checks of a login, and of what they offer nothing is wanted but 405, 406 and 415.
"""

from collections.abc import Callable
from functools import cached_property

from django.http import HttpRequest, HttpResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from api import problems
from api.errors import Problem
from core.plain_response import PlainResponse

# What nearly all programs send; the others are read by DRF.
_ANY_ANSWER = frozenset({"*/*", "application/json"})
_RENDERERS = [JSONRenderer()]


class Call(APIView):
    """Callers are clients (api.authentication): there are no users, permissions or sessions here.

    Methods take Django's request and the parts of the path. What they raise is answered by `api.problems`. A call keeps
    nothing of a request, so one object serves all (authsvc.programs).
    """

    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *_args: object, **path: str) -> HttpResponse:
        return self.answer(request, **path).as_response()

    def answer(self, request: HttpRequest, **path: str) -> PlainResponse:
        try:
            _check_accept(request)
            answer = self._method(request)(request, **path)
        except Exception as error:  # noqa: BLE001 # the one place that answers errors
            answer = problems.refuse(error, view=type(self), request=request)
        answer.headers["Allow"] = self._allowed
        return answer

    @cached_property
    def _allowed(self) -> str:
        return ", ".join(self.allowed_methods)

    def _method(self, request: HttpRequest) -> Callable[..., PlainResponse]:
        name = (request.method or "").lower()
        method = getattr(self, name, None) if name in self.http_method_names else None
        if method is None:
            raise Problem("method_not_allowed")
        return method  # type: ignore[no-any-return] # of a subclass


def _check_accept(request: HttpRequest) -> None:
    """Raises DRF's NotAcceptable when answers cannot be JSON."""
    if request.META.get("HTTP_ACCEPT", "*/*") not in _ANY_ANSWER:
        DefaultContentNegotiation().select_renderer(Request(request), _RENDERERS)
