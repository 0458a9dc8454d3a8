"""The first page: numbers and posts that are refused, and what is said of them."""

import re

import pytest
from django.test import Client

from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, text_of
from tests.login.support import allow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "hello",
        "12",
        "+",
        "+999123456789",
        "9" * 10_000,
        "+85251234567\0",
        "\0",
        "<script>",
        "5123456789012345",
    ],
)
def test_what_is_no_number_is_refused_politely(browser: Browser, typed: str) -> None:
    response = browser.ask(typed, country="HK")

    assert response.status_code == 400 or Challenge.objects.get().phone == "+85251234567"
    if response.status_code == 400:
        page = text_of(response)
        assert 'aria-invalid="true" aria-describedby="error notice"' in page
        assert 'id="error" role="alert"' in page
        assert b"<script>" not in response.content


def test_landline_is_refused(browser: Browser) -> None:
    response = browser.ask("+85221234567")

    assert response.status_code == 400
    assert not Challenge.objects.exists()


def test_country_that_is_not_allowed_is_refused_and_nothing_is_sent(browser: Browser) -> None:
    allow(countries_allowed=["HK", "GB"])

    response = browser.ask("+33612345678")

    assert response.status_code == 403
    assert "Numbers of this country cannot be used here." in text_of(response)
    assert not Delivery.objects.exists()


def test_what_was_typed_is_kept(browser: Browser) -> None:
    response = browser.ask("5123 456", country="GB", next="/account/?a=1")

    page = text_of(response)
    assert 'value="5123 456"' in page
    assert re.search(r'<option value="GB"[^>]* selected', page)
    assert 'name="next" value="/account/?a=1"' in page


def test_ten_kilobytes_in_every_field_do_no_harm(browser: Browser) -> None:
    long = "9" * 10_240

    response = browser.client.post(
        "/login/", {"phone": long, "country": long, "form_token": long, "next": "/" + long, "channel": long}
    )

    assert response.status_code == 400
    assert len(response.content) < 40_000
    assert not Challenge.objects.exists()


def test_nul_bytes_in_every_field_do_no_harm(browser: Browser) -> None:
    fields = {"phone": "\0", "country": "\0\0", "form_token": "a\0b", "next": "/\0", "channel": "sms\0"}

    assert browser.client.post("/login/", fields).status_code == 400


def test_too_many_requests_say_how_long_to_wait(browser: Browser, other_browser: Browser) -> None:
    """C3, C14: the wait between two codes for one number holds for every browser."""
    browser.ask()

    response = other_browser.ask()

    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) % 5 == 0
    assert "Please wait 30 seconds" in text_of(response)
    assert Delivery.objects.count() == 1


def test_waits_are_the_same_for_known_and_unknown_numbers(browser: Browser, other_browser: Browser) -> None:
    """C14, E1."""
    browser.sign_in()
    with later(3600):
        answers = []
        for phone in (factories.PHONE, factories.OTHER_PHONE):
            browser.client.cookies.clear()
            browser.ask(phone)
            refused = other_browser.ask(phone)
            kept = re.sub(r'name="(phone|form_token|csrfmiddlewaretoken)"[^>]*', "", text_of(refused))
            kept = re.sub(r'value="[^"]*" autocomplete="tel"', "", kept)
            answers.append((refused.status_code, refused.headers["Retry-After"], kept))

    assert answers[0] == answers[1]


def test_no_sender_means_try_later(project: ProjectConfig, browser: Browser) -> None:
    from channels.models import Sender

    for sender in Sender.objects.all():
        sender.delete()

    response = browser.ask()

    assert response.status_code == 503
    assert "No code can be sent at the moment" in text_of(response)
    assert not Challenge.objects.exists()


def test_choice_of_a_channel_that_is_off_is_refused(browser: Browser) -> None:
    allow(verify_phone_by="whatsapp_only")

    assert browser.ask(channel="sms").status_code == 403
    assert not Delivery.objects.exists()


def test_post_without_csrf_token_is_refused_and_sends_nothing(project: ProjectConfig) -> None:
    """F8."""
    client = Client(enforce_csrf_checks=True)
    client.get("/login/")

    response = client.post("/login/", {"phone": factories.PHONE})

    assert response.status_code == 403
    assert "Please try again" in text_of(response)
    assert 'href="/login/"' in text_of(response)
    assert not Delivery.objects.exists()


def test_post_from_another_site_is_refused(project: ProjectConfig) -> None:
    """F8: with a valid token too."""
    client = Client(enforce_csrf_checks=True)
    page = client.get("/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"phone": factories.PHONE, "csrfmiddlewaretoken": token[1]}

    refused = client.post("/login/", form, headers={"Origin": "https://evil.example"})
    accepted = client.post("/login/", form, headers={"Origin": "http://testserver"})

    assert (refused.status_code, accepted.status_code) == (403, 302)


def test_calling_codes_keep_their_plus_in_front_in_right_to_left_text(browser: Browser) -> None:
    """G10."""
    assert re.search(r'<option value="HK">[^<]+ \u200e\+852</option>', browser.page("/login/?lang=ar"))


def test_country_that_is_not_offered_leaves_the_choice_open(browser: Browser) -> None:
    allow(countries_allowed=["HK", "GB"])

    page = text_of(browser.ask("12", country="FR"))

    assert '<option value="">Choose your country</option>' in page
    assert " selected" not in page
