"""Sending again, another channel, another number; and the live state as JSON."""

import re
from typing import Any

import pytest
from django.test import Client

from channels.types import Channel, FailureReason, Status
from otp.models import Challenge, Delivery
from otp.types import Cause
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, set_status
from tests.login.support import csrf_of

pytestmark = pytest.mark.django_db
JSON = {"headers": {"Accept": "application/json"}}


def status_of(browser: Browser, **headers: str) -> Any:
    return browser.client.get("/login/status/", headers=headers)


# Sending again -----------------------------------------------------------------------------------


def test_asking_too_early_sends_nothing_and_says_how_long(browser: Browser) -> None:
    """C3."""
    browser.ask()

    response = browser.send()

    assert (response.status_code, response.headers["Location"]) == (303, "/login/code/")
    assert "The next code cannot be sent yet. Please wait 30 seconds." in browser.page()
    assert "Please wait" not in browser.page()  # said once
    assert Delivery.objects.count() == 1


def test_asking_in_time_sends_the_same_code_again(browser: Browser) -> None:
    browser.ask()
    code = browser.code

    with later(31):
        browser.send()

        assert list(Delivery.objects.values_list("channel", "cause")) == [
            (Channel.WHATSAPP, Cause.START),
            (Channel.WHATSAPP, Cause.RESEND),
        ]
        assert browser.code == code
        assert browser.enter(code).status_code == 302


def test_switch_to_sms_needs_no_wait_and_is_a_choice(browser: Browser) -> None:
    browser.ask()

    browser.send("sms")

    newest = factories.deliveries(browser.challenge_id)[-1]
    assert (newest.channel, newest.cause, newest.chosen) == (Channel.SMS, Cause.SWITCH, True)
    assert "Sending your code by SMS…" in browser.page()


def test_failed_choice_says_so_and_offers_the_other(browser: Browser) -> None:
    browser.ask()
    browser.send("sms")

    set_status(browser.challenge_id, Status.FAILED, reason=FailureReason.UNREACHABLE)

    page = browser.page()
    assert "The SMS you asked for could not be delivered" in page
    assert re.search(r'value="whatsapp"[^>]*>Send on WhatsApp instead', page)


def test_double_click_sends_once(browser: Browser) -> None:
    """C2."""
    browser.ask()

    for _ in range(5):
        browser.send("sms")

    assert Delivery.objects.count() == 2


def test_channel_that_is_off_is_refused(browser: Browser) -> None:
    methods = LoginMethods.objects.get()
    methods.verify_phone_by = "whatsapp_only"
    methods.save()
    browser.ask()

    browser.send("sms")

    assert "The code cannot be sent this way." in browser.page()
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("channel", ["pigeon", "x" * 10_240, "sms\0"])
def test_unknown_channel_is_no_choice(browser: Browser, channel: str) -> None:
    browser.ask()

    assert browser.send(channel).status_code == 303
    assert Delivery.objects.count() == 1


def test_over_is_over(browser: Browser) -> None:
    browser.ask()

    with later(601):
        assert browser.send("sms").status_code == 303
        assert browser.client.get("/login/code/").status_code == 410

    assert Delivery.objects.count() == 1


def test_without_a_challenge_nothing_is_sent(browser: Browser) -> None:
    """F9."""
    assert browser.send("sms").headers["Location"] == "/login/"
    assert browser.send("sms", **JSON).status_code == 404
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("url", ["/login/send/", "/login/cancel/"])
def test_only_post_sends_or_cancels(browser: Browser, url: str) -> None:
    """C1."""
    browser.ask()

    assert browser.client.get(url).status_code == 405
    assert browser.client.head(url).status_code == 405
    assert Delivery.objects.count() == 1
    assert Challenge.objects.get().ended_at is None


@pytest.mark.parametrize("url", ["/login/send/", "/login/cancel/"])
def test_posts_without_csrf_token_do_nothing(project: ProjectConfig, url: str) -> None:
    """F8."""
    browser = Browser(enforce_csrf_checks=True)
    token = csrf_of(browser.page("/login/"))
    browser.client.post("/login/", {"phone": factories.PHONE, "csrfmiddlewaretoken": token})

    assert browser.client.post(url, {"channel": "sms"}).status_code == 403
    assert Delivery.objects.count() == 1
    assert Challenge.objects.get().ended_at is None


def test_scripts_get_the_new_state_without_a_redirect(browser: Browser) -> None:
    browser.ask()

    response = browser.send("sms", **JSON)

    answer = response.json()
    assert (response.status_code, answer["error"], answer["channel"]) == (200, "", "sms")
    assert answer["headline"] == "Sending your code by SMS…"


def test_scripts_get_the_reason_of_a_refusal(browser: Browser) -> None:
    browser.ask()

    response = browser.send("", **JSON)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")
    assert response.json()["error"] == "The next code cannot be sent yet. Please wait 30 seconds."
    assert response.json()["headline"] == "Sending your code by WhatsApp…"


def test_scripts_get_the_end_of_a_login(browser: Browser) -> None:
    browser.ask()

    with later(601):
        response = browser.send("", **JSON)

    assert response.status_code == 410
    assert response.json()["over"] is True


# The live state ----------------------------------------------------------------------------------


def test_state_holds_what_the_page_shows(browser: Browser) -> None:
    browser.ask()
    set_status(browser.challenge_id, Status.DELIVERED)

    answer = status_of(browser).json()

    assert answer["state"] == "pending"
    assert (answer["channel"], answer["channels"]) == ("whatsapp", ["whatsapp", "sms"])
    assert [(d["channel"], d["status"]) for d in answer["deliveries"]] == [("whatsapp", "delivered")]
    assert answer["headline"] == "Delivered on WhatsApp ✓✓"
    assert answer["headline"] in browser.page()
    assert answer["attempts_left"] == 5
    assert (answer["send"]["sms"], answer["send"]["whatsapp"]) in ((0, 30), (0, 29))
    assert answer["phone_masked"].endswith("67")
    assert answer["over"] is False
    assert {"expires_at", "resend_at", "detail", "tone", "now"} <= answer.keys()


def test_state_names_the_reason_of_a_failure(browser: Browser) -> None:
    browser.ask()
    set_status(browser.challenge_id, Status.FAILED, reason=FailureReason.NOT_ON_CHANNEL)

    assert status_of(browser).json()["deliveries"][0]["error"] == "not_on_channel"


def test_state_holds_no_code_and_no_number(browser: Browser) -> None:
    """E7, G12."""
    browser.ask()

    body = status_of(browser).content.decode()

    assert browser.code not in body
    assert "5123" not in body
    assert str(browser.challenge_id) not in body


def test_state_is_for_this_browser_only(browser: Browser, other_browser: Browser) -> None:
    """E6: without the cookie, or with an id in the URL, there is nothing to see."""
    browser.ask()

    assert status_of(other_browser).status_code == 404
    by_id = other_browser.client.get(
        f"/login/status/?id={browser.challenge_id}&challenge={browser.challenge_id}"
    )
    assert (by_id.status_code, by_id.content) == (404, b"")


def test_state_of_a_challenge_that_is_gone_is_not_found(browser: Browser) -> None:
    browser.ask()
    Challenge.objects.all().delete()

    assert status_of(browser).status_code == 404


def test_unchanged_state_is_a_tiny_answer(browser: Browser) -> None:
    browser.ask()
    etag = status_of(browser).headers["ETag"]
    assert f'data-etag="{etag}"' in browser.page()  # the first poll of a page asks for changes only

    unchanged = status_of(browser, **{"If-None-Match": etag})
    set_status(browser.challenge_id, Status.SENT)
    changed = status_of(browser, **{"If-None-Match": etag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["Cache-Control"] == "no-store"
    assert changed.status_code == 200


def test_state_in_another_language_is_another_state(browser: Browser) -> None:
    browser.ask()

    etags = {status_of(browser, **{"Accept-Language": tag}).headers["ETag"] for tag in ("en", "ar")}

    assert len(etags) == 2


@pytest.mark.parametrize(("seconds", "wrong", "state"), [(601, 0, "expired"), (0, 5, "locked")])
def test_the_live_state_reports_the_end(browser: Browser, seconds: int, wrong: int, state: str) -> None:
    browser.ask()
    for _ in range(wrong):
        browser.enter(browser.wrong_code)

    with later(seconds):
        answer = status_of(browser).json()

    assert (answer["state"], answer["over"], answer["tone"]) == (state, True, "bad")


def test_looking_changes_nothing(browser: Browser) -> None:
    """C1."""
    browser.ask()
    before = list(Delivery.objects.values())

    for _ in range(5):
        status_of(browser)
        browser.client.head("/login/status/")

    assert list(Delivery.objects.values()) == before
    assert Client().post("/login/status/").status_code == 405
