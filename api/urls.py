"""Paths of the headless API (docs/contract.md, section 6). No trailing slash except at the schema, and no redirect."""

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from api import problems, stats, views
from api.authentication import CLIENT
from api.calls import Call
from api.schema import Schema
from oidc.cors import open_to_clients


def _open(view: type[Call], method: str) -> Callable[..., HttpResponse]:
    """With CORS headers for the calling client's own pages."""
    with_cors = open_to_clients(method, client_id_of=lambda request: str(request.META.get(CLIENT, "")))
    return with_cors(view.as_view())


urlpatterns = [
    path("api/v1/challenges", _open(views.Challenges, "POST"), name="api-challenges"),
    path("api/v1/challenges/<str:id>", _open(views.Challenge, "GET"), name="api-challenge"),
    path("api/v1/challenges/<str:id>/send", _open(views.ChallengeSend, "POST"), name="api-send"),
    path("api/v1/challenges/<str:id>/verify", _open(views.ChallengeVerify, "POST"), name="api-verify"),
    path("api/v1/stats", stats.Stats.as_view(), name="api-stats"),
    path("api/schema/", Schema.as_view(), name="api-schema"),
    re_path(r"^api(?:/[\s\S]*)?\Z", csrf_exempt(problems.unknown_path), name="api-unknown"),
]
