"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): an application asks us to sign the person out."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from oauthlib.common import add_params_to_uri

from abuse.throttle import TooMany
from login import csp, sessions, sign_out
from login.oidc import continuation
from login.pages import NEXT_LIMIT, bad_request, leave_for, page, see_other, show
from oidc import discovery, keys, par, parameters, server
from oidc.clients import client_of
from oidc.models import Client
from oidc.server import issuer_of
from projects.config import ProjectConfig

CONFIRM = f"{discovery.LOGOUT}confirm/"
_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales", "logout_hint")


class BadLogout(Exception):
    """The request cannot be trusted: show an error page and do not redirect."""


@dataclass(frozen=True, kw_only=True)
class LogoutRequest:
    client: Client | None
    hint: dict[str, Any]  # claims of the ID token in the request; empty without one
    target: str  # where the person goes afterwards, with `state`; "" for a page of ours


@csrf_exempt
@page("GET", "POST")
def logout(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Sign out at once when the ID token is that of the signed-in person, else ask first."""
    if request.method == "HEAD":  # who asks only what a link leads to signs nobody out
        return HttpResponseNotAllowed(("GET", "POST"))
    if parameters.is_too_large(request):
        return bad_request(request, project, _("The request is too long."), status=413)
    is_post = request.method == "POST"
    try:
        query = request.POST if is_post else _stored_or_own(request, project)
        logout_request = _read(request, project, query)
        if is_post:  # comes from another site, so without our cookies: see login.oidc.authorize
            return see_other(_url(request, logout_request, query))
    except BadLogout as error:
        return bad_request(request, project, str(error))
    person = sessions.person_of(request, project)
    if person and logout_request.hint.get("sub") != str(person.id):
        return _ask(request, project, logout_request, query)
    if person:
        sign_out.end_this_session(request)
    return _leave(request, project, logout_request)


@page("POST")
def confirm(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """The person agreed. `query` is the request that they were asked about; it is checked again from the start."""
    try:
        query = QueryDict(request.POST.get("query", "")[: parameters.MOST_BYTES])
        logout_request = _read(request, project, query)
    except BadLogout as error:
        return bad_request(request, project, str(error))
    if sessions.person_of(request, project):
        sign_out.end_this_session(request)
    return _leave(request, project, logout_request)


def _ask(
    request: HttpRequest, project: ProjectConfig, logout_request: LogoutRequest, query: QueryDict
) -> HttpResponse:
    context = {"client": logout_request.client, "query": urlencode(_known(query)), "action": CONFIRM}
    response = show(request, project, "end_session.html", context)
    csp.allow_target(response, logout_request.target)
    return response


def _leave(request: HttpRequest, project: ProjectConfig, logout_request: LogoutRequest) -> HttpResponse:
    if logout_request.target:
        return leave_for(logout_request.target)
    return show(request, project, "signed_out.html", {})


def _known(query: QueryDict) -> dict[str, str]:
    return {name: str(query[name]) for name in _PARAMETERS if name in query}


def _url(request: HttpRequest, logout_request: LogoutRequest, query: QueryDict) -> str:
    """The same request as a GET; a long one is stored, as those for a login are. Raises BadLogout."""
    path = f"{discovery.LOGOUT}?{urlencode(_known(query))}"
    if len(path) <= NEXT_LIMIT:
        return path
    client = logout_request.client
    if client is None:
        raise BadLogout(_("The request is too long."))
    try:
        continuation.charge(client, address=request.META.get("REMOTE_ADDR", ""))
    except TooMany as error:
        raise BadLogout(_("There are too many long requests at the moment.")) from error
    uri = par.store_long(client=client, parameters=_known(query))
    return f"{discovery.LOGOUT}?{urlencode({'client_id': client.client_id, 'request_uri': uri})}"


def _stored_or_own(request: HttpRequest, project: ProjectConfig) -> QueryDict:
    """The parameters, from where they were stored when the URL names such a request. Raises BadLogout."""
    uri = request.GET.get("request_uri", "")
    if not uri.startswith(par.LONG_URN):
        return request.GET
    stored = par.find(uri, client_id=request.GET.get("client_id", ""), project_id=project.id)
    if stored is None:
        raise BadLogout(_("The request is unknown or over."))
    return QueryDict(urlencode(stored))


def _read(request: HttpRequest, project: ProjectConfig, query: QueryDict) -> LogoutRequest:
    """Raises BadLogout."""
    state = query.get("state", "")
    if parameters.query_problem(query) or len(state) > server.LONGEST["state"]:
        raise BadLogout(_("The application sent something that cannot be read."))
    hint = _hint(request, query.get("id_token_hint", ""))
    client = _client(project, query.get("client_id", ""), hint)
    uri = query.get("post_logout_redirect_uri", "")
    if uri and (client is None or not client.post_logout_redirect_uri_allowed(uri)):
        raise BadLogout(_("The application did not register this address."))
    target = add_params_to_uri(uri, [("state", state)]) if uri and state else uri
    return LogoutRequest(client=client, hint=hint, target=target)


def _client(project: ProjectConfig, client_id: str, hint: dict[str, Any]) -> Client | None:
    if hint and client_id and hint.get("aud") != client_id:
        raise BadLogout(_("The token was made for another application."))
    client_id = client_id or str(hint.get("aud", ""))
    client = client_of(client_id, project_id=project.id) if client_id else None
    if client_id and client is None:
        raise BadLogout(_("The application is not known here."))
    return client


def _hint(request: HttpRequest, token: str) -> dict[str, Any]:
    if not token:
        return {}
    claims = keys.read_id_token(token, allow_expired=True)
    if claims is None or claims["iss"] != issuer_of(request):
        raise BadLogout(_("The token is not one of ours."))
    return claims
