"""The Basic OP certification plan of the OpenID Foundation, a test of ours for each module and named after it.

What a module does and which outcome it accepts is the plan's (docs/conformance.md); the suite itself was not run.
"""

import pytest

from tests.clock import later
from tests.login.conftest import text_of
from tests.oidc.app import CALLBACK, CHALLENGE, SECRET, App, answer_of
from tests.oidc.certification import PLAIN, login, userinfo

pytestmark = pytest.mark.django_db


def test_oidcc_server(op: App) -> None:
    found = login(op)

    assert found["token_type"] == "Bearer"
    assert {"iss", "sub", "aud", "exp", "iat"} <= set(found["claims"])
    assert len(found["claims"]["sub"]) <= 255
    assert found["claims"]["exp"] > found["claims"]["iat"]
    userinfo(op, found)


def test_oidcc_response_type_missing(op: App) -> None:
    assert answer_of(op.authorize(**PLAIN, response_type=None))["error"] == "invalid_request"


def test_oidcc_userinfo_get(op: App) -> None:
    assert userinfo(op, login(op))


def test_oidcc_userinfo_post_header(op: App) -> None:
    found = login(op)

    page = op.http.post("/oauth2/userinfo/", HTTP_AUTHORIZATION=f"Bearer {found['access_token']}")

    assert page.json()["sub"] == found["claims"]["sub"]


def test_oidcc_userinfo_post_body(op: App) -> None:
    found = login(op)

    page = op.http.post("/oauth2/userinfo/", {"access_token": found["access_token"]})

    assert page.json()["sub"] == found["claims"]["sub"]


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(op: App) -> None:
    page = op.exchange(op.code(**PLAIN, nonce=None), code_verifier=None)

    assert "nonce" not in op.claims(page.json()["id_token"])


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
def test_oidcc_scope(op: App, scope: str) -> None:
    """oidcc-scope-profile, -email, -address, -phone, -all. A claim that we do not have is left out: a warning there."""
    found = login(op, scope=f"openid {scope}")
    claims = userinfo(op, found)

    assert ("phone_number" in claims) == ("phone" in scope)
    assert ("updated_at" in claims) == ("profile" in scope)
    assert not {"email", "address"} & set(claims)


def test_oidcc_ensure_other_scope_order_succeeds(op: App) -> None:
    assert userinfo(op, login(op, scope="phone openid"))


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display(op: App, display: str) -> None:
    """oidcc-display-page, oidcc-display-popup."""
    login(op, display=display)


def test_oidcc_prompt_login(op: App) -> None:
    first = login(op)["claims"]

    with later(40):
        page = op.authorize(**PLAIN, prompt="login")
        assert "Sign in with your phone" in text_of(op.browser.client.get(page.url))
        again = op.exchange(answer_of(op.sign_in(page))["code"], code_verifier=None).json()
        second = op.claims(again["id_token"])

    assert second["auth_time"] > first["auth_time"]
    assert second["sub"] == first["sub"]


def test_oidcc_prompt_none_not_logged_in(op: App) -> None:
    answer = answer_of(op.authorize(**PLAIN, prompt="none"))

    assert answer["error"] == "login_required"
    assert answer["state"] == "st-1"


def test_oidcc_prompt_none_logged_in(op: App) -> None:
    first = login(op)["claims"]

    second = op.exchange(answer_of(op.authorize(**PLAIN, prompt="none"))["code"], code_verifier=None).json()

    claims = op.claims(second["id_token"])
    assert (claims["sub"], claims["auth_time"]) == (first["sub"], first["auth_time"])


def test_oidcc_max_age_1(op: App) -> None:
    first = login(op)["claims"]
    with later(40):
        page = op.sign_in(op.authorize(**PLAIN, max_age=1))
        second = op.claims(op.exchange(answer_of(page)["code"], code_verifier=None).json()["id_token"])

    assert second["auth_time"] > first["auth_time"]


def test_oidcc_max_age_10000(op: App) -> None:
    first = login(op)["claims"]
    with later(5):
        second = login(op, max_age=10000)["claims"]

    assert (second["auth_time"], second["sub"]) == (first["auth_time"], first["sub"])


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(op: App) -> None:
    login(op, extra="foobar")


def test_oidcc_id_token_hint(op: App) -> None:
    first = login(op)

    second = login(op, prompt="none", id_token_hint=first["id_token"])

    assert second["claims"]["sub"] == first["claims"]["sub"]


def test_oidcc_login_hint(op: App) -> None:
    login(op, login_hint="buffy@acme-server")


def test_oidcc_ui_locales(op: App) -> None:
    login(op, ui_locales="se")


def test_oidcc_claims_locales(op: App) -> None:
    login(op, claims_locales="se")


def test_oidcc_ensure_request_with_acr_values_succeeds(op: App) -> None:
    """A warning there: no acr is claimed, because none was agreed."""
    assert "acr" not in login(op, acr_values="1 2")["claims"]


def test_oidcc_codereuse(op: App) -> None:
    code = op.code(**PLAIN)
    assert op.exchange(code, code_verifier=None).status_code == 200

    assert op.exchange(code, code_verifier=None).json()["error"] == "invalid_grant"


def test_oidcc_codereuse_30seconds(op: App) -> None:
    code = op.code(**PLAIN)
    first = op.exchange(code, code_verifier=None).json()

    with later(30):
        assert op.exchange(code, code_verifier=None).json()["error"] == "invalid_grant"
        assert op.userinfo(first["access_token"]).status_code == 401


def test_oidcc_ensure_registered_redirect_uri(op: App) -> None:
    page = op.authorize(**PLAIN, redirect_uri=f"{CALLBACK}/unregistered")

    assert page.status_code == 400
    assert "This link does not work" in text_of(page)


def test_oidcc_ensure_post_request_succeeds(op: App) -> None:
    from urllib.parse import urlencode

    page = op.http.post(
        "/oauth2/authorize/",
        urlencode(op.parameters(**PLAIN)),
        content_type="application/x-www-form-urlencoded",
    )
    code = answer_of(op.sign_in(op.browser.client.get(page["Location"])))["code"]

    assert op.exchange(code, code_verifier=None).status_code == 200


def test_oidcc_server_client_secret_post(op: App) -> None:
    assert op.exchange(op.code(**PLAIN), code_verifier=None, client_secret=SECRET).status_code == 200


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(op: App) -> None:
    """Rejected, and discovery says so."""
    assert op.http.get("/.well-known/openid-configuration").json()["request_parameter_supported"] is False
    unsigned = "eyJhbGciOiJub25lIn0.eyJzY29wZSI6Im9wZW5pZCJ9."

    assert answer_of(op.authorize(**PLAIN, request=unsigned))["error"] == "request_not_supported"


def test_oidcc_claims_essential(op: App) -> None:
    """A warning there: we know nobody's name."""
    login(op, claims='{"userinfo": {"name": {"essential": true}}}')


def test_oidcc_ensure_request_object_with_redirect_uri(op: App) -> None:
    """As the unsigned one: rejected before anything in it is believed."""
    request = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ."

    answer = answer_of(op.authorize(**PLAIN, request=request))

    assert answer["error"] == "request_not_supported"


def test_oidcc_refresh_token(op: App, app: App) -> None:
    found = login(op, scope="openid offline_access", prompt="consent")
    renewed = op.refresh(found["refresh_token"]).json()
    claims = op.claims(renewed["id_token"])

    for name in ("iss", "sub", "aud", "auth_time"):
        assert claims[name] == found["claims"][name]
    assert claims["iat"] >= found["claims"]["iat"]
    assert renewed["access_token"] != found["access_token"]
    # With another client's: refused.
    assert app.refresh(renewed["refresh_token"]).json()["error"] == "invalid_grant"


def test_oidcc_ensure_request_with_valid_pkce_succeeds(op: App) -> None:
    login(op, code_challenge=CHALLENGE, code_challenge_method="S256")
