"""oauthlib's endpoints with only the grants that we support: authorization code and refresh token."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant as PlainCodeGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant
from oauthlib.openid.connect.core.grant_types.dispatchers import (
    AuthorizationCodeGrantDispatcher,
    AuthorizationTokenGrantDispatcher,
)

from oidc import parameters, policy, tokens
from oidc.dpop import Proof
from oidc.validator import Validator
from projects.config import ProjectConfig
from projects.origin import origin_of

_CHALLENGE = 43  # characters of a base64url SHA-256
LONGEST = {"state": 1000, "nonce": 255}


def _token_generator(kind: str) -> Callable[[Request], str]:
    """Makes access or refresh tokens: random ones for a code, successors of the old one for a refresh token."""

    def generate(request: Request) -> str:
        is_refresh = request.grant_type == "refresh_token"
        return tokens.successor(request.refresh_token, kind) if is_refresh else tokens.new_token()

    return generate


def check_request(request: Request) -> dict[str, Any]:
    """Our own checks of an authorization request, before oauthlib's. Raises errors that are sent to the client."""
    malformed = parameters.pairs_problem(request.uri_query_params)
    if malformed:
        raise errors.InvalidRequestError(description=malformed, request=request)
    if getattr(request, "dpop_jkt", None) and len(request.dpop_jkt) != _CHALLENGE:
        raise errors.InvalidRequestError(description="dpop_jkt is not a thumbprint.", request=request)
    for name in ("request", "request_uri", "registration"):
        if getattr(request, name, None):
            raise errors.CustomOAuth2Error(f"{name}_not_supported", request=request)
    if request.response_type is not None and request.response_type != "code":
        raise errors.UnsupportedResponseTypeError(request=request)
    text = _request_problem(request)
    if text:
        raise errors.InvalidRequestError(description=text, request=request)
    return {}


def _request_problem(request: Request) -> str:
    if request.response_mode not in (None, "query"):
        return "Only response_mode=query is offered."
    if request.claims and not _is_object(request.claims):
        return "claims is not a JSON object."
    for name, limit in LONGEST.items():
        if len(getattr(request, name) or "") > limit:
            return f"{name} is too long."
    if request.code_challenge is not None:
        if request.code_challenge_method != "S256":
            return "Transform algorithm not supported: use code_challenge_method=S256."
        if len(request.code_challenge) != _CHALLENGE:
            return "code_challenge is not an S256 challenge."
    return ""


def _is_object(text: object) -> bool:
    if not isinstance(text, str):  # oauthlib has parsed it already
        return isinstance(text, dict)
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint):  # type: ignore[misc] # oauthlib is not annotated
    def __init__(self, validator: Validator) -> None:
        plain, connect = PlainCodeGrant(validator), AuthorizationCodeGrant(validator)
        for grant in (plain, connect.proxy_target):
            grant.custom_validators.pre_auth.insert(0, check_request)
        bearer = BearerToken(
            validator,
            _token_generator("access"),
            policy.seconds_of(policy.ACCESS_VALID),
            refresh_token_generator=_token_generator("refresh"),
        )
        AuthorizationEndpoint.__init__(
            self,
            default_response_type="code",
            default_token_type=bearer,
            response_types={
                "code": AuthorizationCodeGrantDispatcher(default_grant=plain, oidc_grant=connect)
            },
        )
        TokenEndpoint.__init__(
            self,
            default_grant_type="unsupported",
            default_token_type=bearer,
            grant_types={
                "authorization_code": AuthorizationTokenGrantDispatcher(
                    validator, default_grant=plain, oidc_grant=connect
                ),
                "refresh_token": RefreshTokenGrant(validator),
                "unsupported": _UnsupportedGrant(),
            },
        )
        RevocationEndpoint.__init__(self, validator)


class _UnsupportedGrant:
    """Answers requests for a grant that we do not support: password, client credentials and others."""

    def create_token_response(self, request: Request, _handler: object) -> tuple[dict[str, str], str, int]:
        error: errors.OAuth2Error = (
            errors.UnsupportedGrantTypeError(request=request)
            if request.grant_type
            else errors.InvalidRequestError(description="Missing grant_type.", request=request)
        )
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
        return headers, error.json, error.status_code


def issuer_of(request: HttpRequest) -> str:
    """The issuer identifier: the canonical origin of the project's host."""
    return origin_of(request)


class Bridge(OAuthLibCore):  # type: ignore[misc] # django-oauth-toolkit is not annotated
    """django-oauth-toolkit's adapter from Django's requests to oauthlib."""

    def extract_body(self, request: HttpRequest) -> list[tuple[str, str]]:
        """A parameter without a value counts as omitted (RFC 6749 3.2)."""
        return [(name, value) for name, value in super().extract_body(request) if value]


def bridge_for(request: HttpRequest, project: ProjectConfig, *, proof: Proof | None = None) -> Bridge:
    """The adapter for one request at this project."""
    return Bridge(Server(Validator(project=project, issuer=issuer_of(request), proof=proof)))
