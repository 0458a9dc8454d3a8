"""User info, revocation, discovery. docs/security.md, section J."""

import re

import pytest

from tests import factories
from tests.login.conftest import Page
from tests.oidc.app import App, basic

pytestmark = pytest.mark.django_db


# User info ------------------------------------------------------------------------------------------


def test_user_info_by_header_and_by_form(app: App) -> None:
    """J15, OPcert userinfo-get, userinfo-post-header, userinfo-post-body."""
    tokens = app.tokens()
    bearer = f"Bearer {tokens['access_token']}"
    pages: list[Page] = [
        app.http.get("/oauth2/userinfo/", HTTP_AUTHORIZATION=bearer),
        app.http.get("/oauth2/userinfo/", HTTP_AUTHORIZATION=bearer.replace("Bearer", "bearer")),
        app.http.post("/oauth2/userinfo/", HTTP_AUTHORIZATION=bearer),
        app.http.post("/oauth2/userinfo/", {"access_token": tokens["access_token"]}),
    ]

    for page in pages:
        assert page.status_code == 200, page.content
        assert page["Content-Type"] == "application/json"
        assert page["Cache-Control"] == "no-store"
        assert page.json()["sub"] == app.claims(tokens["id_token"])["sub"]


def test_claims_follow_the_scopes(app: App) -> None:
    """J15, J17, J9: neither the ID token nor user info says more than was granted."""
    only = app.tokens(scope="openid")
    for claims in (app.claims(only["id_token"]), app.userinfo(only["access_token"]).json()):
        assert not {"phone_number", "phone_number_verified", "updated_at"} & set(claims)

    phone = app.tokens(scope="openid phone")
    for claims in (app.claims(phone["id_token"]), app.userinfo(phone["access_token"]).json()):
        assert re.fullmatch(r"\+[1-9]\d{6,14}", claims["phone_number"])
        assert claims["phone_number_verified"] is True
        assert "updated_at" not in claims

    profile = app.userinfo(app.tokens(scope="openid profile")["access_token"]).json()
    assert isinstance(profile["updated_at"], int)
    assert "phone_number" not in profile


def test_user_info_without_a_token_says_how(app: App) -> None:
    """J16: no error code when nothing was sent (RFC 6750 3.1)."""
    page = app.http.get("/oauth2/userinfo/")

    assert page.status_code == 401
    assert page["WWW-Authenticate"].startswith('Bearer realm="userinfo", DPoP algs=')
    assert "error" not in page["WWW-Authenticate"]


@pytest.mark.parametrize("token", ["made-up", "x" * 5000, "ü"])
def test_user_info_refuses_other_tokens(app: App, token: str) -> None:
    """J16"""
    page = app.userinfo(token)

    assert page.status_code == 401
    assert 'error="invalid_token"' in page["WWW-Authenticate"]


def test_tokens_of_other_kinds_open_nothing(app: App) -> None:
    """J10: an ID token, a refresh token, a code."""
    code = app.code()
    tokens = app.tokens()

    for token in (tokens["id_token"], tokens["refresh_token"], code):
        assert app.userinfo(token).status_code == 401


def test_tokens_in_the_address_are_not_read(app: App) -> None:
    """J16, RFC 9700 4.3.2."""
    tokens = app.tokens()

    assert app.http.get(f"/oauth2/userinfo/?access_token={tokens['access_token']}").status_code == 401


def test_two_tokens_at_once_are_refused(app: App) -> None:
    """RFC 6750 2: one method."""
    token = app.tokens()["access_token"]

    page = app.http.post("/oauth2/userinfo/", {"access_token": token}, HTTP_AUTHORIZATION=f"Bearer {token}")

    assert page.status_code == 401


def test_user_info_needs_openid(app: App) -> None:
    token = app.tokens(scope="phone")
    assert "id_token" not in token

    page = app.userinfo(token["access_token"])

    assert page.status_code == 403
    assert 'error="insufficient_scope"' in page["WWW-Authenticate"]


def test_amr_names_sms_only_if_an_sms_was_sent(app: App) -> None:
    """I22: one code is never mfa; sms once a provider was asked to send one."""
    from otp.models import Delivery

    assert app.claims(app.tokens()["id_token"])["amr"] == ["otp"]

    app.browser.client.cookies.clear()
    page = app.authorize()
    app.browser.ask(factories.OTHER_PHONE, channel="sms", next=page.url.split("next=")[1])
    Delivery.objects.filter(channel="sms").update(tries=1)
    app.browser.enter(app.browser.code)

    claims = app.claims(app.tokens()["id_token"])
    assert claims["amr"] == ["otp", "sms"]
    assert "acr" not in claims


# Revocation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "nonsense"])
def test_either_token_ends_all(app: App, kind: str, hint: str | None) -> None:
    """J18: a wrong hint is only a hint."""
    tokens = app.tokens()

    page = app.post("/oauth2/revoke_token/", {"token": tokens[kind], "token_type_hint": hint})

    assert (page.status_code, page.content) == (200, b"")
    assert app.userinfo(tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).status_code == 400


def test_unknown_tokens_are_revoked_already(app: App) -> None:
    """J18, RFC 7009 2.2."""
    assert app.post("/oauth2/revoke_token/", {"token": "made-up"}).status_code == 200


def test_anothers_token_is_left_alone(app: App, server_app: App) -> None:
    """J18"""
    tokens = app.tokens()

    assert server_app.post("/oauth2/revoke_token/", {"token": tokens["refresh_token"]}).status_code == 200
    assert app.userinfo(tokens["access_token"]).status_code == 200


def test_revocation_needs_the_client(server_app: App) -> None:
    """J4"""
    tokens = server_app.tokens()

    page = server_app.post(
        "/oauth2/revoke_token/",
        {"token": tokens["refresh_token"], "client_secret": None},
        HTTP_AUTHORIZATION=basic("acme-server", "wrong"),
    )

    assert page.status_code == 401
    assert page["WWW-Authenticate"].startswith("Basic ")
    assert server_app.userinfo(tokens["access_token"]).status_code == 200
    assert server_app.post("/oauth2/revoke_token/", {}).status_code == 400
    assert server_app.http.get("/oauth2/revoke_token/").status_code == 405


# Discovery ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["openid-configuration", "oauth-authorization-server"])
def test_discovery_is_complete_and_true(app: App, path: str) -> None:
    """J13: every endpoint that it names is there, every value is what the server does."""
    page: Page = app.http.get(f"/.well-known/{path}")

    assert page["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in page
    found = page.json()
    assert found["issuer"] == "http://testserver"
    required = {
        *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"),
        *("subject_types_supported", "id_token_signing_alg_values_supported", "userinfo_endpoint"),
    }
    assert required <= set(found)
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith("http://testserver/"), name
            assert app.http.get(value.removeprefix("http://testserver")).status_code != 404, name
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["ui_locales_supported"] == ["ar", "en", "es", "pt-BR", "zh-Hans", "zh-Hant"]
    assert "registration_endpoint" not in found  # J24
    for name in ("token", "revocation", "introspection"):  # RFC 8414 2: required beside private_key_jwt
        assert "private_key_jwt" in found[f"{name}_endpoint_auth_methods_supported"]
        assert "ES256" in found[f"{name}_endpoint_auth_signing_alg_values_supported"], name
    tokens = app.tokens()
    assert app.claims(tokens["id_token"])["iss"] == found["issuer"]
    said = {*app.claims(tokens["id_token"]), *app.userinfo(tokens["access_token"]).json()}
    assert said <= set(found["claims_supported"])


@pytest.mark.parametrize(
    "path", ["/oauth2/register/", "/oauth2/applications/", "/oauth2/device/", "/register"]
)
def test_there_is_no_dynamic_client_registration(app: App, path: str) -> None:
    """J24, P6: nor are the library's own pages here."""
    assert app.http.post(path, {}).status_code == 404
    assert app.http.get(path).status_code == 404


@pytest.mark.parametrize(
    "headers", [{"HTTP_HOST": "evil.example"}, {"HTTP_X_FORWARDED_HOST": "evil.example"}]
)
def test_the_issuer_does_not_follow_the_caller(app: App, headers: dict[str, str]) -> None:
    """J14"""
    page = app.http.get("/.well-known/openid-configuration", **headers)  # type: ignore[arg-type] # META

    assert page.status_code == 400 or page.json()["issuer"] == "http://testserver"
    assert b"evil" not in page.content or page.status_code == 400
