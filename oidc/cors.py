"""CORS: pages of a project's registered clients may call us, never with cookies."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from oidc import parameters, redirect_uris
from oidc.clients import clients
from oidc.models import Client
from projects.origin import project_of

type View = Callable[..., HttpResponse]

_ALLOWED_HEADERS = "Authorization, Content-Type, DPoP, Idempotency-Key"
_EXPOSED_HEADERS = "Retry-After, WWW-Authenticate"


def origins_of(client: Client) -> frozenset[str]:
    """The registered origins and, for a public client, those of its redirect URIs: it runs in these pages."""
    return frozenset(client.allowed_origins.split()) | _redirect_origins(client)


def _redirect_origins(client: Client) -> frozenset[str]:
    if client.is_confidential:
        return frozenset()
    parts = [urlsplit(uri) for uri in client.redirect_uris.split()]
    return frozenset(
        f"{part.scheme}://{part.netloc.lower()}" for part in parts if part.scheme in ("http", "https")
    )


def allows(origin: str, *, project_id: uuid.UUID, client_id: str = "") -> bool:
    """Whether `origin` belongs to a client of the project: to the client `client_id` when that is known, else to any.
    On loopback any port is allowed, as for redirect URIs."""
    active = clients.get()
    candidates = [active[client_id]] if client_id in active else [] if client_id else active.values()
    return any(
        origin in origins_of(client) or redirect_uris.allowed(origin, list(_redirect_origins(client)))
        for client in candidates
        if client.project_id == project_id
    )


def _client_id_in_form(request: HttpRequest) -> str:
    if request.method != "POST" or parameters.is_too_large(request) or parameters.problem(request):
        return ""
    return request.POST.get("client_id", "")


def open_to_clients(
    *methods: str, client_id_of: Callable[[HttpRequest], str] = _client_id_in_form
) -> Callable[[View], View]:
    """Let pages of registered clients call this view. Answers preflights; other origins get no CORS header.

    `client_id_of` is called after the view and names the client whose pages may read the response, "" for unknown.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def serve(request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:  # noqa: ANN401 # any path
            origin = request.META.get("HTTP_ORIGIN", "")
            preflight = request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META
            response = HttpResponse(status=204) if preflight else view(request, *args, **more)
            if origin and _is_allowed(request, origin, "" if preflight else client_id_of(request)):
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
                if preflight:
                    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
                    response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
                    response.headers["Access-Control-Max-Age"] = "600"
            patch_vary_headers(response, ("Origin",))
            return response

        return serve

    return decorate


def _is_allowed(request: HttpRequest, origin: str, client_id: str) -> bool:
    project = project_of(request)
    return project is not None and allows(origin, project_id=project.id, client_id=client_id)
