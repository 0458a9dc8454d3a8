"""What a project's provider says of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

from oidc import assertions, dpop, policy
from oidc.models import Algorithm

AUTHORIZE, TOKEN, USERINFO = "/oauth2/authorize/", "/oauth2/token/", "/oauth2/userinfo/"
REVOKE, INTROSPECT, LOGOUT = "/oauth2/revoke_token/", "/oauth2/introspect/", "/oauth2/logout/"
PUSH = "/oauth2/par/"
JWKS = "/.well-known/jwks.json"
LOCALES = ("ar", "en", "es", "pt-BR", "zh-Hant")
_BY_SECRET = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def metadata(issuer: str) -> dict[str, object]:
    """All of it; every address begins with the issuer."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + AUTHORIZE,
        "token_endpoint": issuer + TOKEN,
        "userinfo_endpoint": issuer + USERINFO,
        "jwks_uri": issuer + JWKS,
        "revocation_endpoint": issuer + REVOKE,
        "introspection_endpoint": issuer + INTROSPECT,
        "pushed_authorization_request_endpoint": issuer + PUSH,
        "end_session_endpoint": issuer + LOGOUT,
        "scopes_supported": list(policy.SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [str(name) for name in Algorithm],
        "token_endpoint_auth_methods_supported": ["none", *_BY_SECRET],
        "token_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": ["none", *_BY_SECRET],
        "introspection_endpoint_auth_methods_supported": _BY_SECRET,
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
        "ui_locales_supported": list(LOCALES),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
