"""The Config OP plan and RP-Initiated Logout, as test_certification has the Basic OP plan."""

import pytest

from tests.oidc.app import App, answer_of
from tests.oidc.certification import PLAIN, login

pytestmark = pytest.mark.django_db


def test_oidcc_discovery_endpoint_verification(op: App) -> None:
    """Config OP: oidcc-discovery-endpoint-verification, oidcc-discovery-issuer-not-matching-config."""
    found = op.http.get("/.well-known/openid-configuration").json()

    assert found["issuer"] == "http://testserver"
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert found["claims_parameter_supported"] is False


def test_oidcc_server_rotate_keys(op: App) -> None:
    """Dynamic and Config OP: oidcc-server-rotate-keys."""
    from oidc import keys

    def kids() -> set[str]:
        return {key["kid"] for key in op.http.get("/.well-known/jwks.json").json()["keys"]}

    login(op)
    before = kids()
    keys.rotate("RS256")

    assert kids() > before
    login(op)


def test_oidcc_rp_initiated_logout(op: App) -> None:
    """RP-Initiated Logout OP plan: with hint and state, then prompt=none finds nobody."""
    found = login(op)
    page = op.browser.client.get(
        "/oauth2/logout/",
        {
            "id_token_hint": found["id_token"],
            "post_logout_redirect_uri": "https://acme.example/",
            "state": "x1",
        },
    )

    assert page["Location"] == "https://acme.example/?state=x1"
    assert answer_of(op.authorize(**PLAIN, prompt="none"))["error"] == "login_required"


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": "https://acme.example/other"},
        {"post_logout_redirect_uri": "https://acme.example/?query=1"},
        {"id_token_hint": None},
        {"id_token_hint": "broken"},
    ],
)
def test_oidcc_rp_initiated_logout_bad(op: App, changes: dict[str, str | None]) -> None:
    """…-bad-post-logout-redirect-uri, -query-added, -no-id-token-hint, -modified-id-token-hint: nobody is led away."""
    found = login(op)
    wanted = {
        "id_token_hint": found["id_token"],
        "post_logout_redirect_uri": "https://acme.example/",
        "state": "x1",
    } | changes

    page = op.browser.client.get("/oauth2/logout/", {k: v for k, v in wanted.items() if v is not None})

    assert page.status_code == 400
    assert op.browser.is_signed_in
