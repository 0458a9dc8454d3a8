"""The endpoints that programs call. Pages for people are in `login`."""

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

from abuse import throttle
from core import metrics
from core.addresses import network_of
from oidc import discovery, dpop, introspection, keys, par, parameters, policy
from oidc.cors import open_to_clients
from oidc.models import Client
from oidc.server import Bridge, bridge_for, issuer_of
from oidc.validator import Validator
from projects.config import ProjectConfig
from projects.origin import CLOSED_TEXTS, Misdirected, site_of

type Endpoint = Callable[[HttpRequest, ProjectConfig], HttpResponse]

log = structlog.get_logger(__name__)

_GRANTS = ("authorization_code", "refresh_token")
_DPOP_CHALLENGE = f'DPoP algs="{" ".join(dpop.ALGORITHMS)}"'


def endpoint(
    *methods: str, form: bool = False
) -> Callable[[Endpoint], Callable[[HttpRequest], HttpResponse]]:
    """An endpoint of the project at the requested host. Responses are not cacheable unless the view says so.

    `form`: it takes nothing but a form.
    """

    def decorate(view: Endpoint) -> Callable[[HttpRequest], HttpResponse]:
        @wraps(view)
        def serve(request: HttpRequest) -> HttpResponse:
            if request.method not in methods:
                allow = {"Allow": ", ".join(methods)}
                return problem("invalid_request", f"{' or '.join(methods)} only", status=405, headers=allow)
            project = _project_or_refusal(request)
            if isinstance(project, HttpResponse):
                return project
            if refusal := _malformed(request, form=form):
                return refusal
            try:
                response = view(request, project)
            except throttle.TooMany as error:
                wait = {"Retry-After": str(error.wait_seconds)}
                response = problem("temporarily_unavailable", "too many requests", status=429, headers=wait)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return csrf_exempt(serve)

    return decorate


def _project_or_refusal(request: HttpRequest) -> ProjectConfig | HttpResponse:
    try:
        site = site_of(request)
    except Misdirected:
        return problem("invalid_request", "this is not the address of the service", status=421)
    if site.closed:
        return problem("temporarily_unavailable", CLOSED_TEXTS[site.closed], status=503)
    return site.project or problem("invalid_request", "no project answers on this host", status=404)


def _malformed(request: HttpRequest, *, form: bool) -> HttpResponse | None:
    if parameters.is_too_large(request):  # checked before the body is read
        return problem("invalid_request", "the request is too large", status=413)
    text = parameters.problem(request)
    if form and request.content_type != "application/x-www-form-urlencoded":
        text = text or "not a form"
    return problem("invalid_request", text, status=400) if text else None


def problem(
    error: str, description: str, *, status: int, headers: Mapping[str, str] | None = None
) -> JsonResponse:
    """An error response (RFC 6749 5.2)."""
    answer = {"error": error, "error_description": description}
    return JsonResponse(answer, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


def _json_response(headers: Mapping[str, str], body: str | None, status: int) -> HttpResponse:
    return HttpResponse(body or "", status=status, headers={"Content-Type": "application/json", **headers})


# Documents ----------------------------------------------------------------------------------------


@endpoint("GET", "HEAD")
def openid_configuration(request: HttpRequest, _project: ProjectConfig) -> HttpResponse:
    return _document(discovery.metadata(issuer_of(request)))


@endpoint("GET", "HEAD")
def jwks(_request: HttpRequest, _project: ProjectConfig) -> HttpResponse:
    published = keys.key_ring().published(timezone.now())
    return _document({"keys": [key.jwk() for key in published]})


def _document(content: dict[str, object]) -> HttpResponse:
    """Public: pages of any origin may read it."""
    cached = f"public, max-age={policy.seconds_of(policy.KEYS_CACHED)}"
    return JsonResponse(content, headers={"Cache-Control": cached, "Access-Control-Allow-Origin": "*"})


# Tokens -------------------------------------------------------------------------------------------


@open_to_clients("POST")
@endpoint("POST", form=True)
def token(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    try:
        bridge = bridge_for(request, project, proof=_read_proof(request, discovery.TOKEN))
        _url, headers, body, status = bridge.create_token_response(request)
    except dpop.BadProof as error:
        return problem("invalid_dpop_proof", str(error), status=400)
    _count(request.POST.get("grant_type", ""), status, body)
    return with_www_authenticate(request, _json_response(headers, body, status))


def _count(grant: str, status: int, body: str) -> None:
    outcome = "given" if status == 200 else str(json.loads(body)["error"])
    metrics.TOKENS.labels(grant if grant in _GRANTS else "other", outcome).inc()
    if status != 200:
        log.info("oidc.refused", error=outcome)


def _read_proof(request: HttpRequest, path: str, access_token: str = "") -> dpop.Proof | None:
    """The verified proof of the DPoP header; None without one. Raises BadProof."""
    proof = request.headers.get("DPoP")
    if proof is None:
        return None
    method = request.method or ""
    return dpop.read(proof, method=method, url=issuer_of(request) + path, access_token=access_token)


@endpoint("POST", form=True)
def push(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """RFC 9126: a pushed authorization request, validated as if the browser had sent it."""
    try:
        return _push(request, project, _read_proof(request, discovery.PUSH))
    except dpop.BadProof as error:
        return problem("invalid_dpop_proof", str(error), status=400)


def _push(request: HttpRequest, project: ProjectConfig, proof: dpop.Proof | None) -> HttpResponse:
    """The code is bound to the key of a proof, as if the request named it (RFC 9449 10.1). Raises BadProof."""
    bridge = bridge_for(request, project)
    pushed = _oauth_request(request, bridge)
    if not _is_authenticated(pushed, bridge.server.request_validator):
        return _invalid_client(request)
    values = par.read_pushed(request.POST) | {"client_id": pushed.client_id}
    if proof and values.setdefault("dpop_jkt", proof.key) != proof.key:
        raise dpop.BadProof("for another key")
    try:
        bridge.server.validate_authorization_request(f"{discovery.AUTHORIZE}?{urlencode(values)}")
    except (errors.OAuth2Error, errors.FatalClientError) as error:
        return problem(error.error, error.description, status=400)
    _charge_push(request, pushed.client)
    if proof:
        proof.mark_used()
    uri = par.store_pushed(client=pushed.client, parameters=parameters.select_known(values.items()))
    answer = {"request_uri": uri, "expires_in": policy.seconds_of(policy.PUSHED_VALID)}
    return JsonResponse(answer, status=201)


def _oauth_request(request: HttpRequest, bridge: Bridge) -> Request:
    return Request("", "POST", list(request.POST.items()), bridge.extract_headers(request))


def _is_authenticated(request: Request, validator: Validator) -> bool:
    if validator.client_authentication_required(request):
        return validator.authenticate_client(request)
    return validator.authenticate_client_id(request.client_id, request)


def _invalid_client(request: HttpRequest) -> HttpResponse:
    answer = problem("invalid_client", "client authentication failed", status=401)
    return with_www_authenticate(request, answer)


def _charge_push(request: HttpRequest, client: Client) -> None:
    """A confidential client sends from one address for all its users. Raises TooMany."""
    counts = [("push.client", str(client.pk))]
    if not client.is_confidential:
        counts.append(("push.address", network_of(request.META.get("REMOTE_ADDR", ""))))
    throttle.charge(*counts)


@open_to_clients("POST")
@endpoint("POST", form=True)
def revoke(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    _url, headers, body, status = bridge_for(request, project).create_revocation_response(request)
    return with_www_authenticate(request, _json_response(headers, body, status))


@endpoint("POST", form=True)
def introspect(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """RFC 7662, for confidential clients."""
    bridge = bridge_for(request, project)
    query = _oauth_request(request, bridge)
    if not bridge.server.request_validator.authenticate_client(query):
        return _invalid_client(request)
    if not query.token:
        return problem("invalid_request", "token is missing", status=400)
    return JsonResponse(introspection.describe(query.token, client=query.client, issuer=issuer_of(request)))


def with_www_authenticate(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """RFC 6749 5.2: name the scheme to a client that failed to authenticate by header, and to no other."""
    if response.status_code == 401:
        if "Authorization" in request.headers:
            response.headers["WWW-Authenticate"] = 'Basic realm="oauth2"'
        else:
            del response.headers["WWW-Authenticate"]
    return response


# Userinfo -----------------------------------------------------------------------------------------


@open_to_clients("GET", "POST")
@endpoint("GET", "POST")
def userinfo(request: HttpRequest, project: ProjectConfig) -> HttpResponse:
    """The token comes in the Authorization header or the form body, never in the query (RFC 9700 4.3.2)."""
    scheme, access_token = _sent_token(request)
    if not access_token:
        challenge = f'Bearer realm="userinfo", {_DPOP_CHALLENGE}'
        return HttpResponse(status=401, headers={"WWW-Authenticate": challenge})
    validator = Validator(project=project, issuer=issuer_of(request))
    query = Request(request.path)
    if not validator.validate_bearer_token(access_token, [], query):
        text = "The access token is unknown, expired or revoked"
        return _token_error(scheme, "invalid_token", text, status=401)
    try:
        proof = _read_proof(request, discovery.USERINFO, access_token) if scheme == "DPoP" else None
        if query.family.proof_key != (proof.key if proof else ""):
            text = "The access token is bound to another key"
            return _token_error(scheme, "invalid_token", text, status=401)
        if proof:
            proof.mark_used()
    except dpop.BadProof as error:
        return _token_error(scheme, "invalid_dpop_proof", str(error), status=401)
    if "openid" not in query.scopes:
        text = "The access token lacks the scope openid"
        return _token_error(scheme, "insufficient_scope", text, status=403)
    return _json_response({}, json.dumps(validator.get_userinfo_claims(query)), 200)


def _sent_token(request: HttpRequest) -> tuple[str, str]:
    """The scheme and the access token of a request; no token if there is none or more than one."""
    name, _, value = request.headers.get("Authorization", "").partition(" ")
    scheme = {"bearer": "Bearer", "dpop": "DPoP"}.get(name.lower(), "")
    sent = [value.strip()] if scheme else []
    if request.method == "POST":
        sent += request.POST.getlist("access_token")
    return scheme or "Bearer", sent[0] if len(sent) == 1 else ""


def _token_error(scheme: str, error: str, description: str, *, status: int) -> HttpResponse:
    challenge = f'{scheme} realm="userinfo", error="{error}", error_description="{description}"'
    return problem(error, description, status=status, headers={"WWW-Authenticate": challenge})
