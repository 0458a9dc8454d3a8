"""The second page: the live truth, and whose it is."""

import re
from typing import Any

import pytest

from channels.types import FailureReason, Status
from login.models import Session
from otp import services
from otp.models import Challenge, Delivery
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, set_status, text_of
from tests.login.support import csrf_of

pytestmark = pytest.mark.django_db


# The page ----------------------------------------------------------------------------------------


def test_page_has_one_real_code_field(browser: Browser) -> None:
    """G6, G10."""
    browser.ask()

    page = browser.page()

    field = re.findall(r'<input[^>]*name="code"[^>]*>', page)
    assert len(field) == 1
    for part in (
        'type="text"',
        'inputmode="numeric"',
        'autocomplete="one-time-code"',
        'dir="ltr"',
        "autofocus",
    ):
        assert part in field[0]
    assert int(re.findall(r'maxlength="(\d+)"', field[0])[0]) >= 2 * 10


def test_page_names_the_number_and_the_channel(browser: Browser) -> None:
    """G12: to the browser that typed it."""
    browser.ask()

    page = browser.page()

    assert '<bdi dir="ltr" class="number">+852 5123 4567</bdi>' in page
    assert "Sending your code by WhatsApp…" in page


def test_changes_are_announced_and_countdowns_are_not(browser: Browser) -> None:
    """G11."""
    browser.ask()
    set_status(browser.challenge_id, Status.SENT)

    page = browser.page()

    live = re.search(r'<div role="status" aria-live="polite">(.*?)</div>', page, re.DOTALL)
    assert live
    assert "Sent on WhatsApp" in live[1]
    assert 'id="countdown"' not in live[1]


def test_page_works_without_scripts(browser: Browser) -> None:
    """G9: every action is a form or a link."""
    browser.ask()

    page = browser.page()

    for action in ("/login/code/", "/login/send/", "/login/cancel/"):
        assert f'<form method="post" action="{action}"' in page
    assert re.search(r'href="/login/code/\?login=[\w-]+">Check again</a>', page)
    assert "http-equiv" not in page


def test_right_to_left_languages_turn_the_page_but_not_the_code(project: ProjectConfig) -> None:
    """G10."""
    browser = Browser(headers={"Accept-Language": "ar"})
    browser.ask()

    page = browser.page()

    assert '<html lang="ar" dir="rtl">' in page
    assert re.search(r'<input[^>]*name="code"[^>]*dir="ltr"', page)


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (Status.ACCEPTED, None, "Sent on WhatsApp"),
        (Status.DELIVERED, None, "Delivered on WhatsApp ✓✓"),
        (
            Status.FAILED,
            FailureReason.NOT_ON_CHANNEL,
            "This number is not on WhatsApp, so we are sending an SMS…",
        ),
        (Status.FAILED, FailureReason.UNREACHABLE, "WhatsApp could not deliver it — we are sending an SMS…"),
    ],
)
def test_reload_tells_what_happened_since(
    browser: Browser, status: Status, reason: FailureReason | None, said: str
) -> None:
    browser.ask()

    set_status(browser.challenge_id, status, reason=reason)

    assert said in browser.page()


def test_coming_sms_is_announced_in_time(browser: Browser) -> None:
    browser.ask()
    services.record_status_updates([factories.report(Delivery.objects.get(), Status.SENT)])

    assert re.search(r"If it does not arrive, we send an SMS in 0:(20|19|03|02)\.", browser.page())


def test_resend_waits_and_the_other_channel_does_not(browser: Browser) -> None:
    browser.ask()

    buttons = re.findall(
        r'<button type="submit" name="channel" value="(\w*)"[^>]*?( disabled)?>([^<]+)<', browser.page()
    )

    assert [(value, bool(off)) for value, off, _ in buttons] == [("", True), ("sms", False)]
    assert re.fullmatch(r"Send again on WhatsApp in 0:(30|29)", buttons[0][2])
    assert buttons[1][2] == "Send by SMS instead"


def test_whatsapp_only_offers_no_sms_and_says_what_happened(project: ProjectConfig) -> None:
    from projects.models import LoginMethods

    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()
    browser = Browser()
    browser.ask()

    set_status(browser.challenge_id, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL)

    page = browser.page()
    assert "This number is not on WhatsApp" in page
    assert "Check that WhatsApp is installed for this number" in page
    assert "SMS" not in page


# Another person's ---------------------------------------------------------------------------------


def test_code_of_another_browser_is_refused(browser: Browser, other_browser: Browser) -> None:
    """A7: for the same number, in two jars."""
    browser.ask()
    with later(31):
        other_browser.ask()
        codes = browser.code, other_browser.code
        assert browser.challenge_id != other_browser.challenge_id

        assert browser.enter(codes[1]).status_code == 400
        assert other_browser.enter(codes[0]).status_code == 400


def test_without_the_cookie_there_is_no_challenge(browser: Browser, other_browser: Browser) -> None:
    """A7, F9."""
    browser.ask()

    response = other_browser.enter(browser.code)

    assert (response.status_code, response.headers["Location"]) == (303, "/login/")
    assert other_browser.client.get("/login/code/").headers["Location"] == "/login/"
    assert not other_browser.is_signed_in
    assert Challenge.objects.get().attempts == 0


def test_wrong_csrf_token_is_refused_and_is_no_guess(project: ProjectConfig) -> None:
    """F8."""
    browser = Browser(enforce_csrf_checks=True)
    token = csrf_of(browser.page("/login/"))
    browser.client.post("/login/", {"phone": factories.PHONE, "csrfmiddlewaretoken": token})

    response = browser.enter(browser.code, csrfmiddlewaretoken="x" * 64)

    assert response.status_code == 403
    assert "Please try again" in text_of(response)
    assert not Session.objects.exists()
    assert Challenge.objects.get().verified_at is None


def test_no_code_or_number_is_ever_in_a_url(browser: Browser) -> None:
    """F11."""
    urls: list[str] = []

    def follow(response: Any) -> None:
        while "Location" in response.headers:
            urls.append(response.headers["Location"])
            response = browser.client.get(response.headers["Location"])
        urls.extend(re.findall(r'(?:href|action|src)="([^"]+)"', text_of(response)))

    follow(browser.ask())
    code = browser.code
    follow(browser.enter(browser.wrong_code))
    follow(browser.enter(code))

    assert not [url for url in urls if code in url or "5123" in url or "csrf" in url]
