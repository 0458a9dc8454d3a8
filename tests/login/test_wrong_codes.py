"""The second page: codes that are wrong, late or none, and what the person reads then."""

import re

import pytest
from django.utils import timezone

from otp import services
from otp.models import Challenge, PhoneRecord
from projects.config import ProjectConfig
from projects.models import LoginMethods
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, text_of
from users.models import User
from users.services import set_active

pytestmark = pytest.mark.django_db


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
    assert "Send a new code" in text_of(locked)
    assert browser.enter(browser.code).status_code == 423
    assert browser.client.get("/login/code/").status_code == 423


def test_expired_challenge_offers_a_new_code(browser: Browser) -> None:
    browser.ask(next="/account/?a=1")

    with later(601):
        posted, shown = browser.enter(browser.code), browser.client.get("/login/code/")

    for response in (posted, shown):
        assert response.status_code == 410
        assert "This code has expired" in text_of(response)
        assert "Send a new code" in text_of(response)


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
    "typed",
    ["", "  ", "abcdef", "12a456", "1" * 10_240, "\0", "<b>", "١٢٣x", "1", "12", "12345", "1234567", "123456a",
     "My code is 12345, not 123456 and not 654321."],
)  # fmt: skip
def test_what_cannot_be_the_code_is_not_a_guess(browser: Browser, typed: str) -> None:
    browser.ask()

    response = browser.enter(typed)

    assert response.status_code == 400
    assert "The code has 6 digits." in text_of(response)
    assert Challenge.objects.get().attempts == 0
    assert browser.enter(browser.code).status_code == 302


@pytest.mark.parametrize(
    "message",
    [
        "{0} is your Acme code. Do not share it.\n\n@login.acme.example #{0}",
        "您的驗證碼是{0}，10分鐘內有效",
        "G-{0}",
        "({0})",
        "Code: {1}-{2}. Hotline +852 2345 6789",
        "{1}\u200c{2}",
        "{1}\u2028{2}",
    ],
)
def test_the_one_clear_code_of_a_pasted_message_is_taken(browser: Browser, message: str) -> None:
    """What a person copies is the whole message, with its invisible marks."""
    browser.ask()
    code = browser.code

    assert browser.enter(message.format(code, code[:3], code[3:])).status_code == 302
    assert browser.is_signed_in


def test_the_length_is_that_of_the_running_code(browser: Browser, project: ProjectConfig) -> None:
    """Not what the project asks for since."""
    browser.ask()
    methods = LoginMethods.objects.get(project_id=project.id)
    methods.otp_length = 8
    methods.save()

    assert "The code has 6 digits." in text_of(browser.enter("12345678"))
    assert Challenge.objects.get().attempts == 0


def test_after_too_many_guesses_unknown_browsers_see_the_wait(
    browser: Browser, other_browser: Browser, project: ProjectConfig
) -> None:
    """B2, C14: the tenth wrong code in a row for one number; the code page that is open goes on."""
    browser.ask()
    PhoneRecord.objects.create(
        project_id=project.id, phone=factories.PHONE, wrong_guesses=9, updated_at=timezone.now()
    )
    assert browser.enter(browser.wrong_code).status_code == 400

    response = other_browser.ask()

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "60"
    assert browser.enter(browser.code).status_code == 302
    assert browser.is_signed_in


def test_blocked_user_is_refused(browser: Browser) -> None:
    browser.sign_in()
    set_active(user_id=User.objects.get().id, active=False)

    with later(3600):
        browser.client.cookies.clear()
        response = browser.sign_in()

        assert response.status_code == 403
        assert "This account is blocked" in text_of(response)
        assert not browser.is_signed_in
