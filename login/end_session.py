"""RP-initiated log-out (OpenID Connect RP-Initiated Logout 1.0): an application asks us to sign the person out."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from oauthlib.common import add_params_to_uri

from login import csp, ending, sessions
from login.authorize import unusable
from login.pages import leave_for, page, see_other, show
from oidc import discovery, keys
from oidc.clients import client_of
from oidc.models import Client
from oidc.server import issuer_of
from projects.config import ProjectConfig

CONFIRM = f"{discovery.LOGOUT}confirm/"


class BadLogout(Exception):
    """Nothing of it may be believed, so nothing is done and nobody is sent anywhere."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    client: Client | None
    hint: dict[str, Any]  # the claims of the ID token that came along, or none
    target: str  # where the person goes afterwards, with `state`; "" for a page of ours


@csrf_exempt
@page("GET", "POST")
def logout(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Who brings a token of the very person who is signed in here signs them out; everybody else only asks."""
    if request.method == "POST":  # from another site, and so without our cookies: see login.authorize
        return see_other(f"{discovery.LOGOUT}?{request.POST.urlencode()}")
    try:
        asked = _read(request, project, request.GET)
    except BadLogout as error:
        return unusable(request, project, str(error))
    person = sessions.person_of(request, project)
    if person is None:
        return _gone(request, project, asked)
    if asked.hint.get("sub") == str(person.id):
        ending.end_this_session(request)
        return _gone(request, project, asked)
    context = {"client": asked.client, "query": request.GET.urlencode(), "action": CONFIRM}
    response = show(request, project, "end_session.html", context)
    csp.let_form_end_at(response, asked.target)
    return response


@page("POST")
def confirm(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """The person said yes; `query` is what they were asked about, checked again from the start."""
    try:
        asked = _read(request, project, QueryDict(request.POST.get("query", "")[:8000]))
    except BadLogout as error:
        return unusable(request, project, str(error))
    if sessions.person_of(request, project):
        ending.end_this_session(request)
    return _gone(request, project, asked)


def _read(request: HttpRequest, project: ProjectConfig, given: QueryDict) -> Asked:
    """Raises BadLogout."""
    hint = _hint(request, given.get("id_token_hint", ""))
    client_id = given.get("client_id", "")
    if hint and client_id and hint.get("aud") != client_id:
        raise BadLogout(_("The token was made for another application."))
    wanted = client_id or str(hint.get("aud", ""))
    client = client_of(wanted, project_id=project.id) if wanted else None
    if wanted and client is None:
        raise BadLogout(_("The application is not known here."))
    uri = given.get("post_logout_redirect_uri", "")
    if uri and (client is None or not client.post_logout_redirect_uri_allowed(uri)):
        raise BadLogout(_("The application did not register this address."))
    state = given.get("state", "")
    target = add_params_to_uri(uri, [("state", state)]) if uri and state else uri
    return Asked(client=client, hint=hint, target=target)


def _hint(request: HttpRequest, token: str) -> dict[str, Any]:
    if not token:
        return {}
    claims = keys.read(token, may_be_old=True)
    if claims is None or claims["iss"] != issuer_of(request):
        raise BadLogout(_("The token is not one of ours."))
    return claims


def _gone(request: HttpRequest, project: ProjectConfig, asked: Asked) -> HttpResponse:
    if asked.target:
        return leave_for(asked.target)
    return show(request, project, "signed_out.html", {})
