"""The provider as the certification suite sees it."""

from typing import Any

from tests.oidc.app import SECRET, App, basic

PLAIN: dict[str, Any] = {"scope": "openid", "code_challenge": None, "code_challenge_method": None}


def login(op: App, **changes: Any) -> dict[str, Any]:
    """The happy flow of every module: authorize, token by Basic, ID token checked; its claims and the answer."""
    parameters = PLAIN | changes
    code = op.code(**parameters)
    page = op.exchange(
        code,
        code_verifier=None if parameters["code_challenge"] is None else "v" * 64,
        client_id=None,
        client_secret=None,
        HTTP_AUTHORIZATION=basic("acme-server", SECRET),
    )
    assert page.status_code == 200, page.content
    tokens: dict[str, Any] = page.json()
    claims = op.claims(tokens["id_token"])
    assert claims["nonce"] == parameters.get("nonce", "no-1")
    return tokens | {"claims": claims}


def userinfo(op: App, tokens: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = op.userinfo(tokens["access_token"]).json()
    assert claims["sub"] == tokens["claims"]["sub"]
    return claims
