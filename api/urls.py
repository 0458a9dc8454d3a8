"""Paths of the headless API (interface.md section 6). No trailing slash but at the schema, and no redirect."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from api import problems, views
from api.callers import CLIENT
from api.docs import Schema
from oidc.cors import open_to_clients


def _client(request: HttpRequest) -> str:
    return str(request.META.get(CLIENT, ""))


def _open(view: type[views.Call], method: str) -> Callable[..., HttpResponse]:
    """For pages of the client that calls, and of nobody else."""
    return open_to_clients(method, asking=_client)(view.as_view())


urlpatterns = [
    path("api/v1/challenges", _open(views.Challenges, "POST"), name="api-challenges"),
    path("api/v1/challenges/<str:id>", _open(views.Challenge, "GET"), name="api-challenge"),
    path("api/v1/challenges/<str:id>/send", _open(views.ChallengeSend, "POST"), name="api-send"),
    path("api/v1/challenges/<str:id>/verify", _open(views.ChallengeVerify, "POST"), name="api-verify"),
    path("api/schema/", Schema.as_view(), name="api-schema"),
    re_path(r"^api(?:/[\s\S]*)?\Z", csrf_exempt(problems.unknown_path), name="api-unknown"),
]
