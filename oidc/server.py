"""oauthlib's endpoints with the grants that we offer and no others: authorization code and refresh token."""

import json
from typing import Any

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.endpoints import AuthorizationEndpoint, RevocationEndpoint, TokenEndpoint
from oauthlib.oauth2.rfc6749.grant_types import AuthorizationCodeGrant as PlainCodeGrant
from oauthlib.oauth2.rfc6749.tokens import BearerToken
from oauthlib.openid.connect.core.endpoints.userinfo import UserInfoEndpoint
from oauthlib.openid.connect.core.grant_types import AuthorizationCodeGrant, RefreshTokenGrant
from oauthlib.openid.connect.core.grant_types.dispatchers import (
    AuthorizationCodeGrantDispatcher,
    AuthorizationTokenGrantDispatcher,
)

from oidc import policy, tokens
from oidc.validator import Validator
from projects.config import ProjectConfig

_CHALLENGE = 43  # characters of a base64url SHA-256
_LONGEST = {"state": 1000, "nonce": 255}


def _access_token(request: Request) -> str:
    renews = request.grant_type == "refresh_token"
    return tokens.successor(request.refresh_token, "access") if renews else tokens.new_token()


def _refresh_token(request: Request) -> str:
    renews = request.grant_type == "refresh_token"
    return tokens.successor(request.refresh_token, "refresh") if renews else tokens.new_token()


def check_request(request: Request) -> dict[str, Any]:
    """What oauthlib lets through at the authorization endpoint and we do not. Raises errors that go to the client."""
    if getattr(request, "dpop_jkt", None) and len(request.dpop_jkt) != _CHALLENGE:
        raise errors.InvalidRequestError(description="dpop_jkt is not a thumbprint.", request=request)
    for name in ("request", "request_uri", "registration"):
        if getattr(request, name, None):
            raise errors.CustomOAuth2Error(f"{name}_not_supported", request=request)
    if request.response_type is not None and request.response_type != "code":
        raise errors.UnsupportedResponseTypeError(request=request)
    wrong = _what_is_wrong(request)
    if wrong:
        raise errors.InvalidRequestError(description=wrong, request=request)
    return {}


def _what_is_wrong(request: Request) -> str:
    if request.response_mode not in (None, "query"):
        return "Only response_mode=query is offered."
    if request.claims and not _is_object(request.claims):
        return "claims is not a JSON object."
    for name, most in _LONGEST.items():
        if len(getattr(request, name) or "") > most:
            return f"{name} is too long."
    if request.code_challenge is not None:
        if request.code_challenge_method != "S256":
            return "Transform algorithm not supported: use code_challenge_method=S256."
        if len(request.code_challenge) != _CHALLENGE:
            return "code_challenge is not an S256 challenge."
    return ""


def _is_object(text: object) -> bool:
    if not isinstance(text, str):  # oauthlib has read it already
        return isinstance(text, dict)
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


class Server(AuthorizationEndpoint, TokenEndpoint, RevocationEndpoint, UserInfoEndpoint):  # type: ignore[misc] # oauthlib is not annotated
    def __init__(self, validator: Validator) -> None:
        plain, connect = PlainCodeGrant(validator), AuthorizationCodeGrant(validator)
        for grant in (plain, connect.proxy_target):
            grant.custom_validators.pre_auth.insert(0, check_request)
        bearer = BearerToken(
            validator,
            _access_token,
            policy.seconds_of(policy.ACCESS_VALID),
            refresh_token_generator=_refresh_token,
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
                "unsupported": _NoGrant(),
            },
        )
        RevocationEndpoint.__init__(self, validator)
        UserInfoEndpoint.__init__(self, validator)
        self.bearer = bearer


class _NoGrant:
    """Every grant that we do not offer: password, client credentials, anything else."""

    def create_token_response(self, request: Request, _handler: object) -> tuple[dict[str, str], str, int]:
        error: errors.OAuth2Error = (
            errors.UnsupportedGrantTypeError(request=request)
            if request.grant_type
            else errors.InvalidRequestError(description="Missing grant_type.", request=request)
        )
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache"}
        return headers, error.json, error.status_code


def issuer_of(request: HttpRequest) -> str:
    """The origin of the project's host. The host is one of ALLOWED_HOSTS, or the request never came here."""
    return f"{request.scheme}://{request.get_host()}"


def core(request: HttpRequest, project: ProjectConfig, *, proof_key: str = "") -> OAuthLibCore:
    """django-oauth-toolkit's bridge from Django's request to oauthlib, at this request's project."""
    return OAuthLibCore(Server(Validator(project=project, issuer=issuer_of(request), proof_key=proof_key)))
