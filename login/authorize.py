"""The authorization endpoint: from an application's request, over whatever the person has to do, back to it."""

from copy import copy
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749 import errors

from login import csp, pending, sessions
from login.pages import NEXT_LIMIT, leave_for, login_url, page, see_other, show
from oidc import discovery, keys, pushed, services
from oidc.interaction import Situation, Step, Wish, next_step
from oidc.models import Client
from oidc.server import core, issuer_of
from oidc.types import Login
from projects.config import ProjectConfig
from users import phones
from users.models import User

# Carried by the request itself when it comes back from a page of ours: the moment that page was shown.
ASKED_AT = "authsvc_asked_at"
_HINT_LIMIT = 40
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that oauthlib found valid."""

    client: Client
    scopes: tuple[str, ...]
    credentials: dict[str, Any]
    redirect_uri: str
    state: str
    pushed_as: str  # the `request_uri` that stands for it in addresses; "": it was not pushed


class NotAuthorized(Exception):
    """An error that goes back to the application (RFC 6749 4.1.2.1)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@csrf_exempt
@page("GET", "POST")
def authorize(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Changes nothing but this browser's own login, so it needs no token of a form: applications may post here."""
    if request.method == "HEAD":
        return HttpResponseNotAllowed(("GET", "POST"))
    if request.method == "POST":
        # A post from another site comes without cookies (SameSite); the same request by GET has them.
        return see_other(f"{discovery.AUTHORIZE}?{request.POST.urlencode()}")
    try:
        asked = read(request, project)
    except FatalClientError as error:
        return unusable(request, project, error.oauthlib_error.description)
    except OAuthToolkitError as error:
        wrong = error.oauthlib_error
        return _refused(request, wrong.redirect_uri, wrong.state, wrong.error, wrong.description)
    try:
        return _go_on(request, project, asked)
    except NotAuthorized as error:
        return refused(request, asked, error)


def read(request: HttpRequest, project: ProjectConfig) -> Asked:
    """The request, checked. Raises FatalClientError when there is nowhere to send an error, OAuthToolkitError else."""
    uri = request.GET.get("request_uri", "")
    if uri.startswith(pushed.URN) and not pushed.unfold(request, project_id=project.id, kept=ASKED_AT):
        raise FatalClientError(error=errors.InvalidRequestError("The request is unknown, used or over."))
    scopes, credentials = core(request, project).validate_authorization_request(request)
    parsed = credentials.pop("request")
    return Asked(
        client=parsed.client,
        scopes=tuple(scopes),
        credentials=credentials,
        redirect_uri=credentials["redirect_uri"],
        state=credentials["state"] or "",
        pushed_as=uri,
    )


def unusable(request: HttpRequest, project: ProjectConfig, why: str) -> HttpResponse:
    """The application or its address is unknown: the person is told, and led nowhere (I11)."""
    return show(request, project, "bad_request.html", {"why": why}, status=400)


def refused(request: HttpRequest, asked: Asked, error: NotAuthorized) -> HttpResponse:
    return _refused(request, asked.redirect_uri, asked.state, error.error, error.description)


def _refused(
    request: HttpRequest, redirect_uri: str, state: str | None, error: str, description: str
) -> HttpResponse:
    found = {"error": error, "error_description": description, "state": state, "iss": issuer_of(request)}
    uri = add_params_to_uri(redirect_uri, [(name, value) for name, value in found.items() if value])
    return leave_for(uri)


# What has to happen first -----------------------------------------------------------------------------


def _go_on(request: HttpRequest, project: ProjectConfig, asked: Asked) -> HttpResponse:
    person, facts = sessions.person_of(request, project), sessions.facts(request)
    if facts is None:
        person = None
    wish = _wish(request)
    step = next_step(wish, _situation(request, asked, person, facts))
    if step is Step.LOGIN:
        return _to_login(request, project, asked)
    if person is None or facts is None or step not in (Step.CHOOSE, Step.CONSENT, Step.GRANT):
        raise NotAuthorized(step.value)
    if step is Step.CHOOSE:
        return _choose(request, project, asked, person)
    if step is Step.CONSENT:
        return _ask_consent(request, project, asked, person)
    return _grant(request, project, asked, person, facts)


def _wish(request: HttpRequest) -> Wish:
    prompt = frozenset(request.GET.get("prompt", "").split())
    if not prompt <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise NotAuthorized("invalid_request", "prompt is not understood")
    max_age = request.GET.get("max_age", "")
    if max_age and not (max_age.isascii() and max_age.isdigit() and len(max_age) < 10):
        raise NotAuthorized("invalid_request", "max_age is not a number of seconds")
    return Wish(prompt=prompt, max_age=int(max_age) if max_age else None, asked_at=_asked_at(request))


def _asked_at(request: HttpRequest) -> float | None:
    """When this request was first answered with a page of ours; None: not yet."""
    text = request.GET.get(ASKED_AT, "")
    return int(text) / 1000 if text.isascii() and text.isdigit() and len(text) < 16 else None


def _situation(
    request: HttpRequest, asked: Asked, person: User | None, facts: sessions.Facts | None
) -> Situation:
    consent = (
        services.consented_at(user_id=person.id, client=asked.client, scopes=asked.scopes) if person else None
    )
    return Situation(
        auth_time=facts.auth_time if person and facts else None,
        is_expected_person=_is_expected(request, asked, person),
        consented_at=consent.timestamp() if consent else None,
        is_first_party=asked.client.skip_authorization,
        now=timezone.now().timestamp(),
    )


def _is_expected(request: HttpRequest, asked: Asked, person: User | None) -> bool:
    hint = request.GET.get("id_token_hint", "")
    if not hint:
        return True
    claims = keys.read(hint, audience=asked.client.client_id, may_be_old=True)
    if claims is None or claims["iss"] != issuer_of(request):
        raise NotAuthorized("invalid_request", "id_token_hint is not a token of ours for this client")
    return person is not None and claims.get("sub") == str(person.id)


def resume(request: HttpRequest, asked: Asked) -> str:
    """This request again, once the person did what it needs. Without the hint: a number belongs in no address."""
    kept = {name: value for name, value in request.GET.items() if name != "login_hint"}
    if asked.pushed_as:
        # The address beside it is for login.csp alone; pushed.unfold believes nothing but the name.
        kept = {
            "client_id": asked.client.client_id,
            "request_uri": asked.pushed_as,
            "redirect_uri": asked.redirect_uri,
        }
    asked_at = _asked_at(request) or timezone.now().timestamp()
    return f"{discovery.AUTHORIZE}?{urlencode(kept | {ASKED_AT: int(asked_at * 1000)})}"


def _to_login(request: HttpRequest, project: ProjectConfig, asked: Asked) -> HttpResponse:
    wanted = resume(request, asked)
    if len(wanted) > NEXT_LIMIT:
        raise NotAuthorized("invalid_request", "the request is too long")
    response = see_other(login_url(wanted))
    hint = request.GET.get("login_hint", "")[: _HINT_LIMIT + 1]
    mine = pending.read(request, project)
    if hint != mine.hint:
        pending.write(response, project, replace(mine, hint=hint if len(hint) <= _HINT_LIMIT else ""))
    return response


def _choose(request: HttpRequest, project: ProjectConfig, asked: Asked, person: User) -> HttpResponse:
    context = {
        "client": asked.client,
        "phone_masked": phones.mask(person.phone or ""),
        "go_on": resume(request, asked),
        "other": login_url(resume(request, asked)),
    }
    return show(request, project, "choose.html", context)


def _ask_consent(request: HttpRequest, project: ProjectConfig, asked: Asked, person: User) -> HttpResponse:
    wanted = resume(request, asked)
    context = {
        "client": asked.client,
        "scopes": [text for scope in asked.scopes if (text := scope_text(scope))],
        "target": asked.redirect_uri.split("/")[2] if "://" in asked.redirect_uri else "",
        "phone_masked": phones.mask(person.phone or ""),
        "wanted": wanted,
        "other": login_url(wanted),
    }
    response = show(request, project, "consent.html", context)
    csp.let_form_reach(response, wanted)
    return response


def scope_text(scope: str) -> str:
    """What a scope lets an application do, in a person's words; nothing for what goes without saying."""
    match scope:
        case "phone":
            return _("see your phone number")
        case "profile":
            return _("see since when you have had this account")
        case "offline_access":
            return _("stay signed in while you are away")
    return ""


def _grant(
    request: HttpRequest, project: ProjectConfig, asked: Asked, person: User, facts: sessions.Facts
) -> HttpResponse:
    login = Login(
        user_id=person.id,
        sid=facts.sid,
        auth_time=facts.at,
        amr=facts.amr,
        session_hash=person.get_session_auth_hash(),
    )
    if asked.pushed_as and not pushed.spend(asked.pushed_as):
        raise NotAuthorized("invalid_request", "the request was used already")
    try:
        uri, _headers, _body, _status = core(request, project).create_authorization_response(
            request, list(asked.scopes), {**asked.credentials, "login": login}, True
        )
    except OAuthToolkitError as error:
        wrong: errors.OAuth2Error = error.oauthlib_error
        raise NotAuthorized(wrong.error, wrong.description) from error
    return leave_for(uri)


@page("POST")
def consent(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """The person's answer. `request` is what the consent page was shown for, checked again from the start."""
    person = sessions.person_of(request, project)
    wanted = request.POST.get("request", "")
    if person is None or not wanted.startswith(f"{discovery.AUTHORIZE}?") or len(wanted) > NEXT_LIMIT * 2:
        return unusable(request, project, "")
    again = _as_if_asked(request, wanted)
    try:
        asked = read(again, project)
    except (FatalClientError, OAuthToolkitError) as error:
        return unusable(request, project, error.oauthlib_error.description)
    if request.POST.get("allow") != "yes":
        return refused(request, asked, NotAuthorized("access_denied"))
    services.give_consent(user_id=person.id, client=asked.client, scopes=asked.scopes)
    return see_other(wanted)


def _as_if_asked(request: HttpRequest, wanted: str) -> HttpRequest:
    """The authorization request that a form carries, as this browser would make it."""
    again = copy(request)
    again.path, _separator, query = wanted.partition("?")
    again.method, again.GET, again.POST = "GET", QueryDict(query), QueryDict()
    again.META = {**request.META, "QUERY_STRING": query, "REQUEST_METHOD": "GET"}
    return again
