"""prompt, max_age, hints and consent: who is asked what. docs/security.md, section I."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from oidc.models import Consent
from otp.models import Delivery
from tests import factories
from tests.clock import later
from tests.login.conftest import text_of
from tests.login.oidc.consent import answer_consent, hidden
from tests.oidc.app import App, answer_of
from users.models import User

pytestmark = pytest.mark.django_db


def test_prompt_none_shows_no_page_and_sends_nothing(app: App) -> None:
    """I12"""
    assert answer_of(app.authorize(prompt="none"))["error"] == "login_required"
    assert not Delivery.objects.exists()

    app.tokens()
    assert answer_of(app.authorize(prompt="none"))["code"]


def test_prompt_none_does_not_give_a_third_party_anything_unasked(partner: App) -> None:
    """I12, I19"""
    page = partner.sign_in(partner.authorize())
    assert page.status_code == 200

    assert answer_of(partner.authorize(prompt="none"))["error"] == "consent_required"


@pytest.mark.parametrize("prompt", ["none login", "create", "Login", "none none2"])
def test_a_prompt_that_is_none_is_refused(app: App, prompt: str) -> None:
    assert answer_of(app.authorize(prompt=prompt))["error"] == "invalid_request"


def test_prompt_login_asks_again_and_auth_time_moves(app: App) -> None:
    """I13; for the applications it stays the same session."""
    first = app.claims(app.tokens()["id_token"])

    with later(60):
        page = app.authorize(prompt="login")
        assert page.url.startswith("/login/")
        again = app.exchange(answer_of(app.sign_in(page))["code"]).json()
        second = app.claims(again["id_token"])

    assert second["auth_time"] >= first["auth_time"] + 60
    assert second["sub"] == first["sub"]
    assert second["sid"] == first["sid"]


def test_prompt_login_is_not_satisfied_by_coming_back_without_a_login(app: App) -> None:
    """I13: the address that the login page returns to asks again when no one logged in."""
    app.tokens()
    with later(60):
        page = app.authorize(prompt="login")
        wanted = parse_qs(urlsplit(page.url).query)["next"][0]

        assert app.browser.client.get(wanted)["Location"].startswith("/login/")


def test_max_age_is_honoured(app: App) -> None:
    """I14"""
    first = app.tokens()
    assert "auth_time" in app.claims(first["id_token"])

    with later(3):
        assert app.authorize(max_age=1).url.startswith("/login/")
        assert answer_of(app.authorize(max_age=1, prompt="none"))["error"] == "login_required"
        assert answer_of(app.authorize(max_age=10000))["code"]
    with later(40):
        page = app.sign_in(app.authorize(max_age=1))
        renewed = app.exchange(answer_of(page)["code"]).json()
        assert app.claims(renewed["id_token"])["auth_time"] >= time.time() - 1


def test_max_age_zero_asks_each_time_but_only_once(app: App) -> None:
    app.tokens()
    with later(40):
        assert answer_of(app.sign_in(app.authorize(max_age=0)))["code"]


@pytest.mark.parametrize("max_age", ["-1", "x", "1.5", "9" * 12])
def test_a_max_age_that_is_no_number_is_refused(app: App, max_age: str) -> None:
    assert answer_of(app.authorize(max_age=max_age))["error"] == "invalid_request"


def test_an_id_token_hint_of_the_person_changes_nothing(app: App) -> None:
    """I15"""
    tokens = app.tokens()

    assert answer_of(app.authorize(prompt="none", id_token_hint=tokens["id_token"]))["code"]
    with later(3600 * 24):  # an old one is still a hint
        assert answer_of(app.authorize(prompt="none", id_token_hint=tokens["id_token"]))["code"]


def test_an_id_token_hint_for_another_person_asks_for_a_login(app: App) -> None:
    """I15"""
    hint = app.tokens()["id_token"]
    app.browser.client.cookies.clear()
    app.sign_in(app.authorize(), phone=factories.OTHER_PHONE)

    assert answer_of(app.authorize(prompt="none", id_token_hint=hint))["error"] == "login_required"
    page = app.authorize(id_token_hint=hint)
    assert page.url.startswith("/login/")
    with later(31):
        assert answer_of(app.sign_in(page, phone=factories.PHONE))["code"]


def test_signing_in_as_the_wrong_person_again_ends_it(app: App) -> None:
    """Core 3.1.2.1: an error, not a circle."""
    hint = app.tokens()["id_token"]
    app.browser.client.cookies.clear()
    page = app.authorize(id_token_hint=hint)

    assert answer_of(app.sign_in(page, phone=factories.OTHER_PHONE))["error"] == "login_required"


def test_select_account_offers_the_one_and_another(app: App) -> None:
    app.tokens()

    page = app.authorize(prompt="select_account")

    shown = text_of(page)
    assert "Acme shop" in shown
    assert factories.PHONE not in shown
    (onward,) = [part.split('"')[0] for part in shown.split('class="primary" href="')[1:]]
    assert answer_of(app.browser.client.get(onward))["code"]
    (other,) = [part.split('"')[0] for part in shown.split('class="quiet" href="')[1:]]
    assert other.startswith("/login/")


def test_a_third_party_asks_for_consent_once(partner: App) -> None:
    """I19: who asks, for what; a person's own act; remembered."""
    page = partner.sign_in(partner.authorize())
    shown = text_of(page)
    assert "Continue to Partner?" in shown
    assert "see your phone number" in shown
    assert "stay signed in while you are away" in shown
    assert "acme.example" in shown
    assert factories.PHONE not in shown
    assert 'class="armed"' in shown  # a tap meant for the code page does not press "Allow"
    assert not Consent.objects.exists()

    allowed = answer_consent(partner, page, "yes")
    assert allowed.status_code == 303
    assert answer_of(partner.browser.client.get(allowed.url))["code"]

    assert answer_of(partner.authorize(prompt="none"))["code"]
    assert answer_of(partner.authorize(scope="openid"))["code"]


def test_more_scopes_ask_again_and_earlier_ones_stay(partner: App) -> None:
    page = partner.sign_in(partner.authorize(scope="openid"))
    answer_consent(partner, page, "yes")

    assert partner.authorize(scope="openid phone").status_code == 200
    page = partner.authorize(scope="openid profile")
    answer_consent(partner, page, "yes")
    assert Consent.objects.get().scope == "openid profile"


def test_prompt_consent_asks_again_after_an_earlier_consent(partner: App) -> None:
    page = partner.sign_in(partner.authorize())
    answer_consent(partner, page, "yes")

    with later(5):
        again = partner.authorize(prompt="consent")
        assert again.status_code == 200
        allowed = answer_consent(partner, again, "yes")
        assert answer_of(partner.browser.client.get(allowed.url))["code"]


@pytest.mark.parametrize(
    "prompt", ["login", "login consent", "select_account", "login select_account consent"]
)
def test_each_page_is_shown_once(partner: App, prompt: str) -> None:
    """What was done for a request stays done: consent does not ask for the login again, nor the other way round."""
    page = partner.sign_in(partner.authorize())
    answer_consent(partner, page, "yes")

    with later(60):
        page = partner.authorize(prompt=prompt, scope="openid phone profile")
    with later(65):
        if "login" in prompt:
            page = partner.sign_in(page)
        else:
            (onward,) = [part.split('"')[0] for part in text_of(page).split('class="primary" href="')[1:]]
            page = partner.browser.client.get(onward)
    with later(70):  # a person takes their time
        page = partner.browser.client.get(page.wsgi_request.get_full_path())
        assert "Continue to Partner?" in text_of(page)
        allowed = answer_consent(partner, page, "yes")
    with later(75):
        assert answer_of(partner.browser.client.get(allowed["Location"]))["code"]


def test_a_person_may_say_no(partner: App) -> None:
    page = partner.sign_in(partner.authorize())

    answer = answer_of(answer_consent(partner, page, "no"))

    assert answer == {"error": "access_denied", "state": "st-1", "iss": "http://testserver"}
    assert not Consent.objects.exists()


def test_consent_needs_the_form_of_the_page(partner: App) -> None:
    """F8: another site cannot press the button."""
    from django.test import Client as Http

    page = partner.sign_in(partner.authorize())
    strict = Http(enforce_csrf_checks=True)
    strict.cookies = partner.browser.client.cookies

    refused = strict.post(
        "/oauth2/consent/", {**hidden(page), "csrfmiddlewaretoken": "x" * 32, "allow": "yes"}
    )

    assert refused.status_code == 403
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "request_",
    ["", "https://evil.example/", "/oauth2/authorize/?client_id=nobody", "/oauth2/authorize/?", "/admin/"],
)
def test_consent_to_nonsense_is_refused(partner: App, request_: str) -> None:
    """F9, F10"""
    partner.sign_in(partner.authorize())

    page = partner.browser.client.post("/oauth2/consent/", {"request": request_, "allow": "yes"})

    assert page.status_code == 400
    assert not Consent.objects.exists()


def test_consent_needs_a_signed_in_person(partner: App) -> None:
    """F9"""
    page = partner.browser.client.post("/oauth2/consent/", {"request": partner.url(), "allow": "yes"})

    assert page.status_code == 400
    assert not Consent.objects.exists()


def test_names_of_applications_cannot_inject_anything(partner: App) -> None:
    """G5"""
    partner.client.name = '"><script>alert(1)</script>'
    partner.client.save()

    page = partner.sign_in(partner.authorize())

    assert b"<script>alert" not in page.content


def test_a_person_who_was_blocked_meanwhile_gets_no_code(app: App) -> None:
    """F6"""
    from login import sign_out

    app.tokens()
    sign_out.set_active(user_id=User.objects.get().id, active=False)

    assert app.authorize().url.startswith("/login/")
    assert answer_of(app.authorize(prompt="none"))["error"] == "login_required"


def test_a_session_of_an_earlier_release_signs_in_again(app: App) -> None:
    """It does not know when and how its person signed in."""
    app.tokens()
    session = app.browser.client.session
    del session["sid"]
    session.save()

    assert app.authorize().url.startswith("/login/")
    with later(31):
        assert answer_of(app.sign_in(app.authorize()))["code"]


def test_staff_cannot_sign_in_to_applications(app: App) -> None:
    """K5: no one can act for another person."""
    staff = User.objects.create_superuser("root", "a-long-password")
    app.browser.client.force_login(staff)

    assert app.authorize().url.startswith("/login/")
    assert answer_of(app.authorize(prompt="none"))["error"] == "login_required"
