"""The second page: the right code, once and typed twice."""

import threading

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from login.models import Session
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser
from tests.login.support import csrf_of
from users.models import User

pytestmark = pytest.mark.django_db


# Right -------------------------------------------------------------------------------------------


def test_right_code_signs_in(browser: Browser) -> None:
    response = browser.sign_in()

    assert (response.status_code, response.headers["Location"]) == (302, "/account/")
    assert browser.login_cookie.logins == ()
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
