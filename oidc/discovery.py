"""The provider metadata of a project (OpenID Connect Discovery 1.0, RFC 8414)."""

from collections.abc import Mapping

from django.conf import settings

from channels import languages
from oidc import dpop, policy, private_key_jwt
from oidc.models import Algorithm

AUTHORIZE, TOKEN, USERINFO = "/oauth2/authorize/", "/oauth2/token/", "/oauth2/userinfo/"
REVOKE, INTROSPECT, LOGOUT = "/oauth2/revoke_token/", "/oauth2/introspect/", "/oauth2/logout/"
PUSH = "/oauth2/par/"
JWKS = "/.well-known/jwks.json"
_CONFIDENTIAL_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
_ENDPOINTS = {
    "authorization_endpoint": AUTHORIZE,
    "token_endpoint": TOKEN,
    "userinfo_endpoint": USERINFO,
    "jwks_uri": JWKS,
    "revocation_endpoint": REVOKE,
    "introspection_endpoint": INTROSPECT,
    "pushed_authorization_request_endpoint": PUSH,
    "end_session_endpoint": LOGOUT,
}
_CAPABILITIES: Mapping[str, object] = {
    "scopes_supported": list(policy.SCOPES),
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": [str(name) for name in Algorithm],
    "token_endpoint_auth_methods_supported": ["none", *_CONFIDENTIAL_METHODS],
    "token_endpoint_auth_signing_alg_values_supported": list(private_key_jwt.ALGORITHMS),
    "revocation_endpoint_auth_methods_supported": ["none", *_CONFIDENTIAL_METHODS],
    "revocation_endpoint_auth_signing_alg_values_supported": list(private_key_jwt.ALGORITHMS),
    "introspection_endpoint_auth_methods_supported": _CONFIDENTIAL_METHODS,
    "introspection_endpoint_auth_signing_alg_values_supported": list(private_key_jwt.ALGORITHMS),
    "require_pushed_authorization_requests": False,
    "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
    "code_challenge_methods_supported": ["S256"],
    "prompt_values_supported": ["none", "login", "consent", "select_account"],
    "display_values_supported": ["page", "popup", "touch", "wap"],
    "claim_types_supported": ["normal"],
    "claims_supported": [
        *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "amr", "sid"),
        *policy.CLAIM_SCOPES,
    ],
    "ui_locales_supported": [languages.canonical(code) for code, _name in settings.LANGUAGES],
    "claims_parameter_supported": False,
    "request_parameter_supported": False,
    "request_uri_parameter_supported": False,
    "authorization_response_iss_parameter_supported": True,
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
}


def metadata(issuer: str) -> dict[str, object]:
    """The whole document; every endpoint URL begins with the issuer."""
    return {"issuer": issuer, **{name: issuer + path for name, path in _ENDPOINTS.items()}, **_CAPABILITIES}
