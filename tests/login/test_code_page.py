"""The second page: the live truth, and a code in."""

import re
import threading
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from channels.types import FailureReason, Status
from login.models import Session
from otp import services
from otp.models import Challenge, Delivery, PhoneRecord
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, set_status, text_of
from users.models import User
from users.services import set_active

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


def test_page_names_the_masked_number_and_the_channel(browser: Browser) -> None:
    """G12."""
    browser.ask()

    page = browser.page()

    assert re.search(r'<bdi dir="ltr" class="number">\+852 [• ]+67</bdi>', page)
    assert factories.PHONE not in page
    assert "51234567" not in page
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
    assert 'href="/login/code/">Check again</a>' in page
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
        (Status.FAILED, FailureReason.NOT_ON_CHANNEL, "WhatsApp could not deliver it"),
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
    assert "WhatsApp could not deliver it" in page
    assert "Check that WhatsApp is installed for this number" in page
    assert "SMS" not in page


# Right -------------------------------------------------------------------------------------------


def test_right_code_signs_in(browser: Browser) -> None:
    response = browser.sign_in()

    assert (response.status_code, response.headers["Location"]) == (302, "/account/")
    assert response.cookies[settings.LOGIN_COOKIE_NAME].value == ""
    assert browser.is_signed_in
    assert User.objects.get().phone == factories.PHONE


def test_right_code_leads_where_the_person_was_going(browser: Browser) -> None:
    browser.ask(next="/oauth2/authorize/?client_id=a&state=b")

    assert browser.enter(browser.code).headers["Location"] == "/oauth2/authorize/?client_id=a&state=b"


@pytest.mark.parametrize("form", ["{} {}", "{}-{}", " {}{} ", "\u200e{}{}"])
def test_codes_are_read_as_people_write_them(browser: Browser, form: str) -> None:
    browser.ask()

    assert browser.enter(form.format(browser.code[:3], browser.code[3:])).status_code == 302


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "０"])
def test_digits_of_any_script_are_read(browser: Browser, zero: str) -> None:
    """A13."""
    browser.ask()

    assert browser.enter("".join(chr(ord(zero) + int(digit)) for digit in browser.code)).status_code == 302


# Twice -------------------------------------------------------------------------------------------


def test_double_submit_of_the_right_code_is_one_login(browser: Browser) -> None:
    """G8: the second post, sent with the cookies of the first, ends where the first one did."""
    browser.ask(next="/account/?from=app")
    code, before = browser.code, browser.client.cookies.copy()
    first = browser.enter(code)
    browser.client.cookies = before  # type: ignore[assignment] # what the browser had when it sent the second

    second = browser.enter(code)

    assert (second.status_code, second.headers["Location"]) == (302, first.headers["Location"])
    session = settings.SESSION_COOKIE_NAME
    assert second.cookies[session].value == first.cookies[session].value
    assert Session.objects.count() == 1
    assert browser.is_signed_in


def test_late_second_click_ends_where_the_first_one_did(browser: Browser) -> None:
    """G8: with the cookies of the first answer there is no challenge any more, only a person who is signed in."""
    browser.sign_in(next="/account/?from=app")

    response = browser.enter("123456", next="/account/?from=app")

    assert (response.status_code, response.headers["Location"]) == (303, "/account/?from=app")


def test_late_second_click_with_the_old_csrf_token_is_no_error(project: ProjectConfig) -> None:
    """G8, F8: the CSRF secret changed with the login, so this post changes nothing; it only leads on."""
    browser = Browser(enforce_csrf_checks=True)
    token = csrf_of(browser.page("/login/"))
    browser.client.post("/login/", {"phone": factories.PHONE, "csrfmiddlewaretoken": token})
    form = {"code": browser.code, "csrfmiddlewaretoken": csrf_of(browser.page()), "next": "/account/?x=1"}
    assert browser.client.post("/login/code/", form).status_code == 302

    response = browser.client.post("/login/code/", form)

    assert (response.status_code, response.headers["Location"]) == (303, "/account/?x=1")


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.django_db(transaction=True)
def test_right_code_ten_times_at_once_is_one_login(project: ProjectConfig) -> None:
    """A6, G8: in parallel, each on a connection of its own."""
    browser = Browser()
    browser.ask()
    code = browser.code
    answers: list[tuple[int, str, str]] = []

    def post() -> None:
        client = Client()
        client.cookies = browser.client.cookies.copy()  # type: ignore[assignment] # a jar of its own
        response = client.post("/login/code/", {"code": code})
        session = response.cookies.get(settings.SESSION_COOKIE_NAME)
        answers.append(
            (response.status_code, response.headers.get("Location", ""), session.value if session else "")
        )
        connections.close_all()

    threads = [threading.Thread(target=post) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 10
    assert {answer[:2] for answer in answers} == {(302, "/account/")}
    assert len({answer[2] for answer in answers}) == 1
    assert Session.objects.count() == 1


def test_code_used_long_ago_is_refused(browser: Browser) -> None:
    """A5."""
    browser.ask()
    code, before = browser.code, browser.client.cookies.copy()
    browser.enter(code)
    browser.client.cookies = before  # type: ignore[assignment] # as if the first answer had been lost

    with later(60):
        response = browser.enter(code)

        assert (response.status_code, response.headers["Location"]) == (302, "/login/")
        assert "That code was used already" in browser.page("/login/")
        assert "That code was used already" not in browser.page("/login/")  # said once
        assert not browser.is_signed_in


def test_code_page_of_an_answered_challenge_starts_again(browser: Browser) -> None:
    browser.ask()
    code, before = browser.code, browser.client.cookies.copy()
    browser.enter(code)
    browser.client.cookies = before  # type: ignore[assignment] # as if the first answer had been lost

    assert browser.client.get("/login/code/").headers["Location"] == "/login/"


# Wrong -------------------------------------------------------------------------------------------


def test_wrong_code_says_how_many_tries_are_left(browser: Browser) -> None:
    """G11."""
    browser.ask()

    response = browser.enter(browser.wrong_code)

    page = text_of(response)
    assert response.status_code == 400
    assert "That code is not right. You have 4 tries left." in page
    assert re.search(
        r'<input[^>]*name="code"[^>]*autofocus aria-invalid="true" aria-describedby="error"', page
    )
    assert browser.wrong_code not in page
    assert not browser.is_signed_in


def test_too_many_wrong_codes_lock_the_challenge(browser: Browser) -> None:
    """B1."""
    browser.ask()
    for _ in range(4):
        assert browser.enter(browser.wrong_code).status_code == 400

    locked = browser.enter(browser.wrong_code)

    assert locked.status_code == 423
    assert "Too many wrong codes" in text_of(locked)
    assert 'href="/login/">Start again' in text_of(locked)
    assert browser.enter(browser.code).status_code == 423
    assert browser.client.get("/login/code/").status_code == 423


def test_expired_challenge_offers_to_start_again(browser: Browser) -> None:
    browser.ask(next="/account/?a=1")

    with later(301):
        posted, shown = browser.enter(browser.code), browser.client.get("/login/code/")

    for response in (posted, shown):
        assert response.status_code == 410
        assert "This code has expired" in text_of(response)
        assert 'href="/login/?next=%2Faccount%2F%3Fa%3D1"' in text_of(response)


def test_cancelled_challenge_says_so(browser: Browser) -> None:
    browser.ask()
    services.cancel(challenge_id=browser.challenge_id)

    response = browser.enter(browser.code)

    assert response.status_code == 410
    assert "This sign-in has ended" in text_of(response)


def test_challenge_that_is_gone_starts_again(browser: Browser) -> None:
    browser.ask()
    code = browser.code
    Challenge.objects.all().delete()

    assert browser.enter(code).status_code == 410
    assert browser.client.get("/login/code/").headers["Location"] == "/login/"


@pytest.mark.parametrize(
    "typed", ["", "  ", "abcdef", "12a456", "1" * 10_240, "\0", "123456\0", "<b>", "١٢٣x"]
)
def test_what_is_no_code_is_not_a_guess(browser: Browser, typed: str) -> None:
    browser.ask()

    response = browser.enter(typed)

    assert response.status_code == 400
    assert "Type the 6 digits of the code." in text_of(response)
    assert Challenge.objects.get().attempts == 0


@pytest.mark.parametrize("typed", ["12345", "1234567"])
def test_digits_of_another_length_are_a_guess(browser: Browser, typed: str) -> None:
    """B6: what could be judged is counted."""
    browser.ask()

    assert browser.enter(typed).status_code == 400
    assert Challenge.objects.get().attempts == 1


def test_too_many_guesses_say_how_long_to_wait(browser: Browser, project: ProjectConfig) -> None:
    """B2, C14: the tenth wrong code in a row for one number, counted across challenges."""
    browser.ask()
    PhoneRecord.objects.create(
        project_id=project.id, phone=factories.PHONE, wrong_guesses=9, updated_at=timezone.now()
    )
    assert browser.enter(browser.wrong_code).status_code == 400

    response = browser.enter(browser.code)

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert "Too many tries. Please wait 60 seconds." in text_of(response)
    assert not browser.is_signed_in


def test_blocked_user_is_refused(browser: Browser) -> None:
    browser.sign_in()
    set_active(user_id=User.objects.get().id, active=False)

    with later(3600):
        browser.client.cookies.clear()
        response = browser.sign_in()

        assert response.status_code == 403
        assert "This account is blocked" in text_of(response)
        assert not browser.is_signed_in


# Somebody else's ---------------------------------------------------------------------------------


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
