"""The authorization endpoint: read the request, decide the next step, answer with a page or a code."""

from copy import copy
from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749 import errors

from abuse.throttle import TooMany
from login import csp, login_cookie, sessions
from login.messages.applications import request_problem, scope_texts
from login.oidc import continuation
from login.oidc.continuation import Pause, ValidRequest
from login.oidc.interaction import AuthorizationRequest, Situation, Step, next_step
from login.pages import (
    NEXT_LIMIT,
    bad_request,
    leave_for,
    login_url,
    page,
    see_other,
    show,
    use_requested_language,
)
from oidc import discovery, keys, par, parameters, services
from oidc.server import bridge_for, issuer_of
from oidc.types import Login
from projects.config import ProjectConfig
from users import phones
from users.models import User

# A larger request is not even read; one beyond parameters.MOST_BYTES is answered with an error for its client.
_MAX_BYTES = 64 * 1024
_MAX_HINT = 40
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})


class NotAuthorized(Exception):
    """An error for the application (RFC 6749 4.1.2.1)."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description


# The endpoint -------------------------------------------------------------------------------------


@csrf_exempt
@page("GET", "POST")
def authorize(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """Applications may post here from their own sites: only this browser's own login changes."""
    if request.method == "HEAD":
        return HttpResponseNotAllowed(("GET", "POST"))
    if parameters.size(request) > _MAX_BYTES:
        return bad_request(request, project, _("The request is too long."), status=413)
    is_too_large = parameters.is_too_large(request)
    is_post = request.method == "POST"
    if is_post:
        request = _as_get(request, f"{discovery.AUTHORIZE}?{request.POST.urlencode()}")
    try:
        valid = _read_request(request, project)
    except FatalClientError as error:
        return bad_request(request, project, request_problem(error.oauthlib_error))
    except OAuthToolkitError as error:
        return _refuse(request, error.oauthlib_error, error.oauthlib_error)
    use_requested_language(request)  # that of a stored request, which was not in the URL
    if is_too_large:
        return _refuse(request, valid, NotAuthorized("invalid_request", "the request is too long"))
    try:
        # A POST from another site comes without cookies (SameSite); a GET of the same request has them.
        address = request.META.get("REMOTE_ADDR", "")
        return see_other(valid.url(address=address)) if is_post else _take_next_step(request, valid)
    except NotAuthorized as error:
        return _refuse(request, valid, error)
    except TooMany:
        return _refuse(request, valid, NotAuthorized("temporarily_unavailable", "too many long requests"))


@page("POST")
def consent(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """The person's answer. `request` is the URL that the page was shown for; it is checked again from the start."""
    person = sessions.person_of(request, project)
    url = request.POST.get("request", "")
    if person is None or not url.startswith(f"{discovery.AUTHORIZE}?") or len(url) > NEXT_LIMIT * 2:
        return bad_request(request, project, "")
    original = _as_get(request, url)
    try:
        valid = _read_request(original, project)
    except (FatalClientError, OAuthToolkitError) as error:
        return bad_request(request, project, request_problem(error.oauthlib_error))
    if request.POST.get("allow") != "yes":
        return _refuse(request, valid, NotAuthorized("access_denied"))
    services.record_consent(user_id=person.id, client=valid.client, scopes=valid.scopes)
    return see_other(url)


# The request --------------------------------------------------------------------------------------


def _as_get(request: HttpRequest, url: str) -> HttpRequest:
    """The request that this browser would make by opening `url`."""
    get = copy(request)
    get.path, _separator, query = url.partition("?")
    get.method, get.GET, get.POST = "GET", QueryDict(query), QueryDict()
    get.META = {**request.META, "QUERY_STRING": query, "REQUEST_METHOD": "GET"}
    return get


def _read_request(request: HttpRequest, project: ProjectConfig) -> ValidRequest:
    """Raises FatalClientError when there is no safe address to send an error to, else OAuthToolkitError."""
    asked_at = continuation.asked_at(request, project_id=project.id)
    request_uri = request.GET.get("request_uri", "")
    if par.is_stored(request_uri) and not par.restore(request, project_id=project.id):
        raise FatalClientError(error=errors.InvalidRequestError("The request is unknown, used or over."))
    scopes, credentials = bridge_for(request, project).validate_authorization_request(request)
    parsed = credentials.pop("request")
    return ValidRequest(
        project=project,
        client=parsed.client,
        scopes=tuple(scopes),
        credentials=credentials,
        redirect_uri=credentials["redirect_uri"],
        state=credentials["state"] or "",
        request_uri=request_uri,
        parameters=request.GET.dict(),
        asked_at=asked_at,
    )


def _read_prompts(request: HttpRequest, valid: ValidRequest) -> AuthorizationRequest:
    prompt = frozenset(request.GET.get("prompt", "").split())
    if not prompt <= _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise NotAuthorized("invalid_request", "prompt is not understood")
    max_age = request.GET.get("max_age", "")
    if max_age and not (max_age.isascii() and max_age.isdigit() and len(max_age) < 10):
        raise NotAuthorized("invalid_request", "max_age is not a number of seconds")
    return AuthorizationRequest(
        prompt=prompt, max_age=int(max_age) if max_age else None, asked_at=valid.asked_at
    )


# The next step ------------------------------------------------------------------------------------


def _take_next_step(request: HttpRequest, valid: ValidRequest) -> HttpResponse:
    person = sessions.person_of(request, valid.project)
    login = sessions.login_of(request, person) if person else None
    step = next_step(_read_prompts(request, valid), _situation(request, valid, login))
    if step is Step.LOGIN:
        return _to_login(request, valid)
    if person is None or login is None or step in (Step.LOGIN_REQUIRED, Step.CONSENT_REQUIRED):
        raise NotAuthorized(step.value)
    if step is Step.CHOOSE:
        return _choose_account(request, valid, person)
    if step is Step.CONSENT:
        return _ask_consent(request, valid, person)
    return _grant(request, valid, login)


def _situation(request: HttpRequest, valid: ValidRequest, login: Login | None) -> Situation:
    consented_at = login and services.consented_at(
        user_id=login.user_id, client=valid.client, scopes=valid.scopes
    )
    return Situation(
        auth_time=login.auth_time.timestamp() if login else None,
        is_expected_person=_is_expected(request, valid, login),
        consented_at=consented_at.timestamp() if consented_at else None,
        is_first_party=valid.client.skip_authorization,
        now=timezone.now().timestamp(),
    )


def _is_expected(request: HttpRequest, valid: ValidRequest, login: Login | None) -> bool:
    hint = request.GET.get("id_token_hint", "")
    if not hint:
        return True
    claims = keys.read_id_token(hint, audience=valid.client.client_id, allow_expired=True)
    if claims is None or claims["iss"] != issuer_of(request):
        raise NotAuthorized("invalid_request", "id_token_hint is not a token of ours for this client")
    return login is not None and claims.get("sub") == str(login.user_id)


# A page of ours -----------------------------------------------------------------------------------


def _to_login(request: HttpRequest, valid: ValidRequest) -> HttpResponse:
    pause = Pause(request, valid)
    response = see_other(login_url(pause.url))
    hint = request.GET.get("login_hint", "")[: _MAX_HINT + 1]
    cookie = login_cookie.read(request, valid.project)
    if hint != cookie.hint:
        login_cookie.write(
            response, valid.project, replace(cookie, hint=hint if len(hint) <= _MAX_HINT else "")
        )
    return pause.remember(response)


def _choose_account(request: HttpRequest, valid: ValidRequest, person: User) -> HttpResponse:
    pause = Pause(request, valid)
    context = {
        "client": valid.client,
        "phone_masked": phones.mask(person.phone or ""),
        "continue_url": pause.url,
        "login_url": login_url(pause.url),
    }
    return pause.remember(show(request, valid.project, "choose.html", context))


def _ask_consent(request: HttpRequest, valid: ValidRequest, person: User) -> HttpResponse:
    pause = Pause(request, valid)
    context = {
        "client": valid.client,
        "scopes": scope_texts(valid.scopes),
        "target": valid.redirect_uri.split("/")[2] if "://" in valid.redirect_uri else "",
        "phone_masked": phones.mask(person.phone or ""),
        "request_url": pause.url,
        "login_url": login_url(pause.url),
    }
    response = show(request, valid.project, "consent.html", context)
    csp.allow_application_of(response, pause.url)
    return pause.remember(response)


# Back to the application --------------------------------------------------------------------------


def _grant(request: HttpRequest, valid: ValidRequest, login: Login) -> HttpResponse:
    if valid.request_uri and not par.mark_used(valid.request_uri):
        raise NotAuthorized("invalid_request", "the request was used already")
    try:
        uri, _headers, _body, _status = bridge_for(request, valid.project).create_authorization_response(
            request, list(valid.scopes), {**valid.credentials, "login": login}, True
        )
    except OAuthToolkitError as error:
        raise NotAuthorized(error.oauthlib_error.error, error.oauthlib_error.description) from error
    return leave_for(uri)


def _refuse(
    request: HttpRequest, target: ValidRequest | errors.OAuth2Error, error: NotAuthorized | errors.OAuth2Error
) -> HttpResponse:
    """Send an error back to the application, to the redirect URI and with the state of `target`."""
    answer = {
        "error": error.error,
        "error_description": error.description,
        "state": target.state,
        "iss": issuer_of(request),
    }
    return leave_for(add_params_to_uri(target.redirect_uri, [item for item in answer.items() if item[1]]))
