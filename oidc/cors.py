"""Which pages of other origins may call us: those of a project's registered clients, and never with cookies."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from oidc import addresses
from oidc.clients import clients
from oidc.models import Client
from projects.config import projects

type View = Callable[..., HttpResponse]

_HEADERS = "Authorization, Content-Type, DPoP, Idempotency-Key"
_EXPOSED = "Retry-After, WWW-Authenticate"


def origins_of(client: Client) -> frozenset[str]:
    """Those it registered; a public client runs in the pages that it is redirected to, so those count as well."""
    return frozenset(client.allowed_origins.split()) | _of_redirects(client)


def _of_redirects(client: Client) -> frozenset[str]:
    if client.is_confidential:
        return frozenset()
    parts = [urlsplit(uri) for uri in client.redirect_uris.split()]
    return frozenset(
        f"{part.scheme}://{part.netloc.lower()}" for part in parts if part.scheme in ("http", "https")
    )


def allows(origin: str, *, project_id: uuid.UUID, client_id: str = "") -> bool:
    """Whether `origin` belongs to a client of the project: to this one, when it is known which one asks. Where the port
    of a redirect URI is free, on loopback, that of its page is."""
    known = clients.get()
    asking = [known[client_id]] if client_id in known else [] if client_id else known.values()
    return any(
        origin in origins_of(client) or addresses.allowed(origin, list(_of_redirects(client)))
        for client in asking
        if client.project_id == project_id
    )


def _named_in_form(request: HttpRequest) -> str:
    return request.POST.get("client_id", "") if request.method == "POST" else ""


def open_to_clients(
    *methods: str, asking: Callable[[HttpRequest], str] = _named_in_form
) -> Callable[[View], View]:
    """For a view that pages of registered clients may call. Answers preflights; others get no CORS header at all.

    `asking` tells, once the view has answered, which client's page may read it: its `client_id`, "" when nobody knows.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def serve(request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:  # noqa: ANN401 # any path
            origin = request.headers.get("Origin", "")
            preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
            response = HttpResponse(status=204) if preflight else view(request, *args, **more)
            if origin and _is_ours(request, origin, "" if preflight else asking(request)):
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = _EXPOSED
                if preflight:
                    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
                    response.headers["Access-Control-Allow-Headers"] = _HEADERS
                    response.headers["Access-Control-Max-Age"] = "600"
            patch_vary_headers(response, ("Origin",))
            return response

        return serve

    return decorate


def _is_ours(request: HttpRequest, origin: str, client_id: str) -> bool:
    project = projects.get().for_host(request.get_host())
    if project is None:
        return False
    return allows(origin, project_id=project.id, client_id=client_id)


def open_to_all(response: HttpResponse) -> HttpResponse:
    """Public documents: any page may read them."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
