"""The URL at which an authorization request goes on after our pages have asked the person something.

The URL is short: a long request is stored on the server, as a pushed request is. The time when we first showed a page
for the request is in it under a seal for this browser and this very request, so that it cannot be made up.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from abuse import throttle
from core.addresses import network_of
from login.pages import login_url
from oidc import discovery, par, parameters, policy
from oidc.clients import client_of
from oidc.models import Client
from projects.config import ProjectConfig

ASKED_AT = "authsvc_asked_at"
# For how long a login or consent counts as given for the request.
VALID = timedelta(hours=1)
# The longest redirect to the login page that holds such a URL: Django's limit is 2048.
_MAX_LENGTH = 1900
_SEAL_LENGTH = 60
_BROWSER_BYTES = 16


# URLs of requests ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ValidRequest:
    """A request that oauthlib accepts."""

    project: ProjectConfig
    client: Client
    scopes: tuple[str, ...]
    redirect_uri: str
    state: str
    credentials: dict[str, Any]  # what oauthlib needs to answer it
    request_uri: str  # the name under which the request is stored; "" when its parameters are in the URL
    parameters: Mapping[str, str]
    asked_at: float | None  # when we first showed a page for it

    def url(self, *, address: str) -> str:
        """The request as it came. Raises TooMany."""
        return _url(self.query(address=address))

    def query(self, *, address: str) -> dict[str, str]:
        """The parameters, or those that name a stored request. Raises TooMany when too many were stored."""
        known = parameters.select_known(self.parameters.items())
        request_uri = self.request_uri
        if not request_uri and len(login_url(_url(known | {ASKED_AT: "x" * _SEAL_LENGTH}))) > _MAX_LENGTH:
            charge(self.client, address=address)
            request_uri = par.store_long(client=self.client, parameters=known)
        if not request_uri:
            return known
        # Only the name is trusted (oidc.par). The rest is for what our own pages show meanwhile.
        shown = {name: known[name] for name in ("prompt", "max_age") if 0 < len(known.get(name, "")) < 60}
        named = {"client_id": self.client.client_id, "request_uri": request_uri}
        return named | {"redirect_uri": self.redirect_uri} | shown


def charge(client: Client, *, address: str) -> None:
    """For a request that is stored. Raises TooMany."""
    network = network_of(address)
    throttle.charge(("keep.client", str(client.pk)), ("keep.address", network))


def _url(query: Mapping[str, str]) -> str:
    return f"{discovery.AUTHORIZE}?{urlencode(query)}"


def client_of_url(url: str, project: ProjectConfig) -> Client | None:
    """The client of an authorization request, for display only: the URL proves nothing. None for any other page."""
    parts = urlsplit(url)
    if parts.path != discovery.AUTHORIZE:
        return None
    return client_of(parse_qs(parts.query).get("client_id", [""])[0], project_id=project.id)


def demands_login(url: str) -> bool:
    """Whether the request at this URL is not satisfied by being signed in already."""
    parts = urlsplit(url)
    query = parse_qs(parts.query) if parts.path == discovery.AUTHORIZE else {}
    return "max_age" in query or "login" in " ".join(query.get("prompt", [])).split()


# Pages on the way ---------------------------------------------------------------------------------


class Pause:
    """One page of ours on the way. `url`: where the request goes on after it, in this browser."""

    def __init__(self, request: HttpRequest, valid: ValidRequest) -> None:
        """Without `login_hint`: no URL may hold a number. Raises TooMany."""
        kept = {name: value for name, value in valid.parameters.items() if name != "login_hint"}
        query = replace(valid, parameters=kept).query(address=request.META.get("REMOTE_ADDR", ""))
        asked_at = str(int((valid.asked_at or timezone.now().timestamp()) * 1000))
        self._browser = _browser_of(request) or secrets.token_urlsafe(_BROWSER_BYTES)
        seal = _signer(self._browser, valid.project.id, query.items()).sign(asked_at)
        self.url = _url(query | {ASKED_AT: seal})

    def remember(self, response: HttpResponse) -> HttpResponse:
        """Let `asked_at` recognise the browser when it comes back."""
        response.set_cookie(
            settings.REQUEST_COOKIE_NAME,
            self._browser,
            max_age=policy.seconds_of(VALID),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


def asked_at(request: HttpRequest, *, project_id: uuid.UUID) -> float | None:
    """When we first showed this browser a page for this very request; None: not yet, or too long ago."""
    seal, browser = request.GET.get(ASKED_AT, ""), _browser_of(request)
    if not seal or not browser:
        return None
    query = [(name, value) for name, values in request.GET.lists() for value in values if name != ASKED_AT]
    try:
        moment = int(_signer(browser, project_id, query).unsign(seal[: 2 * _SEAL_LENGTH])) / 1000
    except (BadSignature, ValueError):
        return None
    return moment if timezone.now().timestamp() - moment <= VALID.total_seconds() else None


def _signer(browser: str, project_id: uuid.UUID, query: Iterable[tuple[str, str]]) -> Signer:
    sealed = urlencode([("browser", browser), ("project", project_id.hex), *sorted(query)], errors="replace")
    return Signer(salt=f"login.continuation:{hashlib.sha256(sealed.encode()).hexdigest()}")


def _browser_of(request: HttpRequest) -> str:
    value: str = request.COOKIES.get(settings.REQUEST_COOKIE_NAME, "")
    return value if _BROWSER_BYTES <= len(value) <= 4 * _BROWSER_BYTES else ""
