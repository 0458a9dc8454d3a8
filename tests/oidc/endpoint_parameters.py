"""Every endpoint with all its parameters."""

from urllib.parse import urlencode

from django.test import Client as Http

from tests.login.conftest import Page
from tests.oidc.app import CHALLENGE, SECRET

FORM = "application/x-www-form-urlencoded"
# path → parameters of a request that is right but for what a test puts into it
ENDPOINTS: dict[str, dict[str, str]] = {
    "/oauth2/token/": {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": "https://acme.example/callback",
        "code_verifier": "v" * 64,
        "client_id": "acme-web",
        "refresh_token": "r",
        "scope": "openid",
        "client_assertion": "a",
        "client_assertion_type": "t",
    },
    "/oauth2/par/": {
        "client_id": "acme-web",
        "response_type": "code",
        "redirect_uri": "https://acme.example/callback",
        "scope": "openid",
        "state": "s",
        "nonce": "n",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "prompt": "login",
        "max_age": "1",
        "login_hint": "h",
        "ui_locales": "en",
        "claims": "{}",
        "acr_values": "a",
        "display": "page",
        "resource": "https://api.example",
        "unknown": "u",
    },
    "/oauth2/revoke_token/": {"token": "t", "token_type_hint": "access_token", "client_id": "acme-web"},
    "/oauth2/introspect/": {"token": "t", "client_id": "acme-server", "client_secret": SECRET},
    "/oauth2/userinfo/": {"access_token": "t"},
}
PLACES = [(path, name) for path, fields in ENDPOINTS.items() for name in (*fields, "a name")]


def post(path: str, fields: list[tuple[str, str]] | dict[str, str], **headers: str) -> Page:
    return Http().post(path, urlencode(fields), content_type=FORM, **headers)  # type: ignore[arg-type] # META
