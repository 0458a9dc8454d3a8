"""Signing out at the wish of an application, and what ends with it. docs/security.md, section J."""

import re
from urllib.parse import urlencode

import jwt
import pytest
from django.test import Client as Http

from login.models import Session
from tests import factories
from tests.clock import later
from tests.login.conftest import Page, text_of
from tests.login.oidc.consent import hidden
from tests.oidc.app import App

pytestmark = pytest.mark.django_db
AFTER = "https://acme.example/"


def logout(app: App, **parameters: str) -> Page:
    return app.browser.client.get(f"/oauth2/logout/?{urlencode(parameters)}")


def confirm(app: App, page: Page) -> Page:
    return app.browser.client.post("/oauth2/logout/confirm/", hidden(page))


def test_the_persons_own_token_signs_them_out_at_once(app: App) -> None:
    """J20"""
    tokens = app.tokens()

    page = logout(
        app,
        id_token_hint=tokens["id_token"],
        post_logout_redirect_uri=AFTER,
        state="s&1",
        client_id="acme-web",
    )

    assert page.status_code == 302
    assert page.url == f"{AFTER}?state=s%261"
    assert not app.browser.is_signed_in
    assert not Session.objects.exists()


def test_looking_where_the_link_leads_signs_nobody_out(app: App) -> None:
    hint = app.tokens()["id_token"]

    page = app.browser.client.head(f"/oauth2/logout/?{urlencode({'id_token_hint': hint})}")

    assert page.status_code == 405
    assert app.browser.is_signed_in


def test_an_old_token_is_still_a_hint(app: App) -> None:
    token = app.tokens()["id_token"]

    with later(86400):
        assert logout(app, id_token_hint=token, post_logout_redirect_uri=AFTER).status_code == 302
        assert not Session.objects.exists()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"client_id": "acme-web"}, {"client_id": "acme-web", "post_logout_redirect_uri": AFTER}],
)
def test_without_a_token_the_person_is_asked(app: App, parameters: dict[str, str]) -> None:
    """J20: a link on any page must not sign anybody out."""
    app.tokens()

    page = logout(app, **parameters)

    assert page.status_code == 200
    assert "Sign out?" in text_of(page)
    assert Session.objects.exists()
    done = confirm(app, page)
    assert not Session.objects.exists()
    if "post_logout_redirect_uri" in parameters:
        assert done.url == AFTER
    else:
        assert "You are signed out" in text_of(done)


def test_the_token_of_another_user_asks_too(app: App) -> None:
    """J20"""
    hint = app.tokens()["id_token"]
    app.browser.client.cookies.clear()
    app.sign_in(app.authorize(), phone=factories.OTHER_PHONE)

    page = logout(app, id_token_hint=hint, post_logout_redirect_uri=AFTER)

    assert page.status_code == 200
    assert app.browser.is_signed_in


def test_the_question_needs_its_form(app: App) -> None:
    """F8"""
    app.tokens()
    page = logout(app, client_id="acme-web")
    strict = Http(enforce_csrf_checks=True)
    strict.cookies = app.browser.client.cookies

    assert (
        strict.post("/oauth2/logout/confirm/", {**hidden(page), "csrfmiddlewaretoken": "x" * 32}).status_code
        == 403
    )
    assert app.browser.is_signed_in
    assert app.browser.client.get("/oauth2/logout/confirm/").status_code == 405


@pytest.mark.parametrize(
    "parameters",
    [
        {"post_logout_redirect_uri": AFTER},
        {"post_logout_redirect_uri": "https://evil.example/", "client_id": "acme-web"},
        {"post_logout_redirect_uri": f"{AFTER}more", "client_id": "acme-web"},
        {"post_logout_redirect_uri": f"{AFTER}?x=1", "client_id": "acme-web"},
        {"post_logout_redirect_uri": "javascript:alert(1)", "client_id": "acme-web"},
        {"client_id": "nobody"},
        {"id_token_hint": "nonsense"},
        {"id_token_hint": "a.b.c", "post_logout_redirect_uri": AFTER, "client_id": "acme-web"},
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_what_cannot_be_believed_leads_nowhere(app: App, parameters: dict[str, str], signed_in: bool) -> None:
    """J20"""
    if signed_in:
        app.tokens()

    page = logout(app, **parameters)

    assert page.status_code == 400
    assert "Location" not in page
    assert Session.objects.exists() == signed_in


def test_forged_tokens_are_no_hint(app: App) -> None:
    """J11: alg none, HS256 with the public key, foreign keys."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    claims = app.claims(app.tokens()["id_token"])
    header = jwt.get_unverified_header(app.tokens()["id_token"])
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = [
        jwt.encode(claims, "", algorithm="none", headers={"kid": header["kid"]}),
        jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": header["kid"]}),
        jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": "x", "jku": "https://evil.example/"}),
        jwt.encode(claims, "k" * 64, algorithm="HS256", headers={"kid": header["kid"]}),
    ]

    for token in forged:
        assert logout(app, id_token_hint=token).status_code == 400
        assert app.authorize(id_token_hint=token, prompt="none").url.startswith(
            "https://acme.example/callback?error=invalid_request"
        )
    assert app.browser.is_signed_in


def test_a_token_and_a_client_that_do_not_fit_are_refused(app: App, server_app: App) -> None:
    token = app.tokens()["id_token"]

    assert logout(app, id_token_hint=token, client_id="acme-server").status_code == 400
    assert app.browser.is_signed_in


def test_who_is_signed_out_already_goes_on(app: App) -> None:
    token = app.tokens()["id_token"]
    app.browser.client.post("/logout/")

    page = logout(app, id_token_hint=token, post_logout_redirect_uri=AFTER)

    assert page.url == AFTER
    assert "You are signed out" in text_of(logout(app))


def test_posts_from_other_sites_work(app: App) -> None:
    """RP-Initiated Logout 2: GET and POST."""
    token = app.tokens()["id_token"]
    body = urlencode({"id_token_hint": token, "post_logout_redirect_uri": AFTER})
    strict = Http(enforce_csrf_checks=True)

    page = strict.post("/oauth2/logout/", body, content_type="application/x-www-form-urlencoded")

    assert page.status_code == 303
    assert app.browser.client.get(page["Location"])["Location"] == AFTER
    assert not app.browser.is_signed_in


def test_the_account_page_shows_and_takes_back_grants(partner: App) -> None:
    """I20"""
    page = partner.sign_in(partner.authorize())
    allowed = partner.browser.client.post("/oauth2/consent/", {**hidden(page), "allow": "yes"})
    code = re.search(r"code=([^&]+)", partner.browser.client.get(allowed["Location"])["Location"])
    assert code
    tokens = partner.exchange(code[1]).json()
    shown = text_of(partner.browser.client.get("/account/"))
    assert "Partner" in shown
    assert "see your phone number" in shown

    done = partner.browser.client.post("/account/apps/", {"client_id": "partner"})

    assert done["Location"] == "/account/"
    assert "Partner" not in text_of(partner.browser.client.get("/account/"))
    assert partner.refresh(tokens["refresh_token"]).status_code == 400
    assert partner.userinfo(tokens["access_token"]).status_code == 401
    assert partner.authorize().status_code == 200  # asked again


def test_revoking_a_grant_leaves_other_users_alone(app: App, server_app: App) -> None:
    mine, other = app.tokens(), server_app.tokens()

    for client_id in ("acme-web", "nobody", "nul\0", ""):
        assert app.browser.client.post("/account/apps/", {"client_id": client_id}).status_code == 303

    assert app.userinfo(mine["access_token"]).status_code == 401
    assert server_app.userinfo(other["access_token"]).status_code == 200
    app.browser.client.cookies.clear()
    assert app.browser.client.post("/account/apps/", {"client_id": "acme-server"})["Location"].startswith(
        "/login/"
    )
    assert server_app.userinfo(other["access_token"]).status_code == 200
