"""The endpoints that programs call. Those that people see are in `login`."""

import json
from collections.abc import Callable, Mapping
from functools import wraps
from urllib.parse import urlencode

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors

from oidc import discovery, dpop, introspection, keys, policy, pushed
from oidc.cors import open_to_all, open_to_clients
from oidc.server import core, issuer_of
from oidc.validator import Validator
from projects import metrics
from projects.config import ProjectConfig, projects

type Endpoint = Callable[[HttpRequest, ProjectConfig], HttpResponse]

log = structlog.get_logger(__name__)

_MOST_PARAMETERS = 40
_GRANTS = ("authorization_code", "refresh_token")
_PROOFS = f'DPoP algs="{" ".join(dpop.ALGORITHMS)}"'


def endpoint(*methods: str) -> Callable[[Endpoint], Callable[[HttpRequest], HttpResponse]]:
    """An endpoint of the project whose host was called. Nothing of it is ever stored by anybody."""

    def decorate(view: Endpoint) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        def serve(request: HttpRequest) -> HttpResponse:
            if request.method not in methods:
                response: HttpResponse = problem(
                    "invalid_request", f"{' or '.join(methods)} only", status=405
                )
                response.headers["Allow"] = ", ".join(methods)
                return response
            project = projects.get().for_host(request.get_host())
            if project is None:
                return problem("invalid_request", "no project answers on this host", status=404)
            response = view(request, project)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return csrf_exempt(serve)

    return decorate


def problem(error: str, description: str, *, status: int) -> JsonResponse:
    """An error as RFC 6749 5.2 writes it."""
    response = JsonResponse({"error": error, "error_description": description}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_malformed(request: HttpRequest) -> bool:
    """Parameters must not be repeated (RFC 6749 3.2), and `\\0` is in none of ours."""
    given = request.POST.lists()
    return (
        len(request.POST) > _MOST_PARAMETERS
        or request.content_type != "application/x-www-form-urlencoded"
        or any(len(values) > 1 or "\0" in name + values[0] for name, values in given)
    )


def _answer(headers: Mapping[str, str], body: str | None, status: int) -> HttpResponse:
    response = HttpResponse(body or "", status=status, content_type="application/json")
    for name, value in headers.items():
        response.headers[name] = value
    return response


# Documents ----------------------------------------------------------------------------------------


@endpoint("GET", "HEAD")
def openid_configuration(request: HttpRequest, _project: ProjectConfig) -> HttpResponse:
    response = open_to_all(JsonResponse(discovery.metadata(issuer_of(request))))
    response.headers["Cache-Control"] = f"public, max-age={policy.seconds_of(policy.KEYS_CACHED)}"
    return response


@endpoint("GET", "HEAD")
def jwks(_request: HttpRequest, _project: ProjectConfig) -> HttpResponse:
    published = keys.ring().published(timezone.now())
    response = open_to_all(JsonResponse({"keys": [key.jwk() for key in published]}))
    response.headers["Cache-Control"] = f"public, max-age={policy.seconds_of(policy.KEYS_CACHED)}"
    return response


# Tokens -------------------------------------------------------------------------------------------


@open_to_clients("POST")
@endpoint("POST")
def token(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    if _is_malformed(request):
        return problem("invalid_request", "not a form, or a parameter is repeated", status=400)
    try:
        proof_key = _proof_key(request, discovery.TOKEN)
    except dpop.BadProof as error:
        return problem("invalid_dpop_proof", str(error), status=400)
    _url, headers, body, status = core(request, project, proof_key=proof_key).create_token_response(request)
    _note(request.POST.get("grant_type", ""), status, body)
    return _told_how(request, _answer(headers, body, status))


def _note(grant: str, status: int, body: str) -> None:
    outcome = "given" if status == 200 else str(json.loads(body)["error"])
    metrics.TOKENS.labels(grant if grant in _GRANTS else "other", outcome).inc()
    if status != 200:
        log.info("oidc.refused", error=outcome)


def _proof_key(request: HttpRequest, path: str, access_token: str = "") -> str:
    """The key that a DPoP header shows; "": there is no such header. Raises BadProof."""
    proof = request.headers.get("DPoP")
    if proof is None:
        return ""
    method = request.method or ""
    return dpop.key_of(proof, method=method, url=issuer_of(request) + path, access_token=access_token)


@endpoint("POST")
def push(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """RFC 9126: an authorization request sent ahead, checked as it will be when the browser brings it."""
    if _is_malformed(request):
        return problem("invalid_request", "not a form, or a parameter is repeated", status=400)
    bridge = core(request, project)
    asked = Request("", "POST", list(request.POST.items()), bridge.extract_headers(request))
    validator: Validator = bridge.server.request_validator
    proven = (
        validator.authenticate_client(asked)
        if validator.client_authentication_required(asked)
        else validator.authenticate_client_id(asked.client_id, asked)
    )
    if not proven:
        return _told_how(request, problem("invalid_client", "client authentication failed", status=401))
    parameters = pushed.asked_for(request.POST) | {"client_id": asked.client_id}
    try:
        bridge.server.validate_authorization_request(f"{discovery.AUTHORIZE}?{urlencode(parameters)}")
    except (errors.OAuth2Error, errors.FatalClientError) as error:
        return problem(error.error, error.description, status=400)
    answer = {
        "request_uri": pushed.keep(client=asked.client, parameters=parameters),
        "expires_in": policy.seconds_of(pushed.VALID),
    }
    return JsonResponse(answer, status=201)


@open_to_clients("POST")
@endpoint("POST")
def revoke(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    if _is_malformed(request):
        return problem("invalid_request", "not a form, or a parameter is repeated", status=400)
    _url, headers, body, status = core(request, project).create_revocation_response(request)
    return _told_how(request, _answer(headers, body, status))


@endpoint("POST")
def introspect(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """RFC 7662, for confidential clients and their own tokens."""
    if _is_malformed(request):
        return problem("invalid_request", "not a form, or a parameter is repeated", status=400)
    bridge = core(request, project)
    asked = Request("", "POST", list(request.POST.items()), bridge.extract_headers(request))
    validator: Validator = bridge.server.request_validator
    if not validator.authenticate_client(asked):
        return _told_how(request, problem("invalid_client", "client authentication failed", status=401))
    if not asked.token:
        return problem("invalid_request", "token is missing", status=400)
    return JsonResponse(introspection.describe(asked.token, client=asked.client, issuer=issuer_of(request)))


def _told_how(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A client that tried by header learns which scheme there is (RFC 6749 5.2)."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="oauth2"'
        if "Authorization" not in request.headers:
            del response.headers["WWW-Authenticate"]
    return response


# The person ---------------------------------------------------------------------------------------


@open_to_clients("GET", "POST")
@endpoint("GET", "POST")
def userinfo(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """By authorization header, or by form body. Never by query (RFC 9700 4.3.2)."""
    scheme, given = _token(request)
    if not given:
        response = HttpResponse(status=401)
        response.headers["WWW-Authenticate"] = f'Bearer realm="userinfo", {_PROOFS}'
        return response
    validator = Validator(project=project, issuer=issuer_of(request))
    asked = Request(request.path)
    if not validator.validate_bearer_token(given, [], asked):
        return _token_error(
            scheme, "invalid_token", "The access token is unknown, over or revoked", status=401
        )
    bound_to = asked.family.proof_key
    try:
        shown = _proof_key(request, discovery.USERINFO, given) if scheme == "DPoP" else ""
    except dpop.BadProof as error:
        return _token_error(scheme, "invalid_dpop_proof", str(error), status=401)
    if bound_to != shown:
        return _token_error(scheme, "invalid_token", "The access token is bound to another key", status=401)
    if "openid" not in asked.scopes:
        return _token_error(
            scheme, "insufficient_scope", "The access token lacks the scope openid", status=403
        )
    return _answer({}, json.dumps(validator.get_userinfo_claims(asked)), 200)


def _token(request: HttpRequest) -> tuple[str, str]:
    """The scheme and the token that were sent; no token when none was, or two were."""
    name, _, value = request.headers.get("Authorization", "").partition(" ")
    scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(name.lower(), "")
    sent = [value.strip()] if scheme else []
    if request.method == "POST":
        sent += request.POST.getlist("access_token")
    return scheme or "Bearer", sent[0] if len(sent) == 1 else ""


def _token_error(scheme: str, error: str, description: str, *, status: int) -> HttpResponse:
    response = problem(error, description, status=status)
    response.headers["WWW-Authenticate"] = (
        f'{scheme} realm="userinfo", error="{error}", error_description="{description}"'
    )
    return response
