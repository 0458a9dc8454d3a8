"""Sessions: a new one at each login, and what ends one."""

import uuid

import pytest
from django.conf import settings
from django.test import Client

from login.models import Session
from login.sessions import hash_key
from projects.config import ProjectConfig
from projects.models import Project
from tests.clock import later
from tests.login.conftest import Browser
from users import services as user_services
from users.models import User

pytestmark = pytest.mark.django_db
COOKIE = settings.SESSION_COOKIE_NAME


def test_login_gives_a_new_session_and_ends_the_old_one(browser: Browser) -> None:
    """F1."""
    browser.sign_in()
    old = browser.client.cookies[COOKIE].value

    with later(3600):
        browser.sign_in()
        new = browser.client.cookies[COOKIE].value

        assert new != old
        assert list(Session.objects.values_list("session_key", flat=True)) == [hash_key(new)]
        browser.client.cookies[COOKIE] = old
        assert not browser.is_signed_in


def test_planted_session_cookie_is_not_kept(browser: Browser) -> None:
    """F1: session fixation."""
    browser.client.cookies[COOKIE] = "a" * 32

    browser.sign_in()

    assert browser.client.cookies[COOKIE].value != "a" * 32
    assert browser.is_signed_in


@pytest.mark.parametrize("cookie", ["x", "\0", "é", "a" * 5000])
def test_nonsense_in_the_session_cookie_does_no_harm(browser: Browser, cookie: str) -> None:
    browser.ask()
    code = browser.code
    browser.client.cookies[COOKIE] = cookie

    assert browser.enter(code).status_code == 302
    assert browser.is_signed_in


def test_csrf_secret_changes_at_login(browser: Browser) -> None:
    """F1."""
    browser.ask()
    before = browser.client.cookies["csrftoken"].value

    browser.enter(browser.code)

    assert browser.client.cookies["csrftoken"].value != before


def test_sessions_end_after_thirty_days(browser: Browser) -> None:
    """F4."""
    browser.sign_in()

    with later(30 * 24 * 3600 - 60):
        assert browser.is_signed_in
    with later(30 * 24 * 3600 + 60):
        assert not browser.is_signed_in


def test_blocking_a_user_ends_all_sessions(browser: Browser) -> None:
    """F6."""
    browser.sign_in()

    user_services.set_active(user_id=User.objects.get().id, active=False)

    assert not browser.is_signed_in


def test_browser_data_is_bounded_and_clean(browser: Browser) -> None:
    browser.client.defaults["HTTP_USER_AGENT"] = "a\0b" + "x" * 10_240

    assert browser.sign_in().status_code == 302

    assert Session.objects.get().user_agent == "ab" + "x" * 198


def test_a_session_of_another_project_is_not_signed_in_here(browser: Browser, project: ProjectConfig) -> None:
    browser.sign_in()
    elsewhere = Project.objects.create(slug="other", name="Other")

    User.objects.update(project=elsewhere)

    assert not browser.is_signed_in


def test_logged_out_session_does_not_come_back_with_a_repeated_code(browser: Browser) -> None:
    """F5: the repeat is answered with the key of a session that is no more."""
    browser.ask()
    code, before = browser.code, browser.client.cookies.copy()
    browser.enter(code)
    browser.client.post("/logout/")
    browser.client.cookies = before  # type: ignore[assignment] # what the browser had before the login

    browser.enter(code)

    assert not browser.is_signed_in


def test_ids_shown_to_people_are_not_keys(browser: Browser) -> None:
    browser.sign_in()
    row = Session.objects.get()

    assert isinstance(row.id, uuid.UUID)
    assert row.session_key not in browser.page("/account/")


def test_a_session_that_is_saved_again_keeps_its_columns(browser: Browser) -> None:
    """Django's engine writes rows that it did not read, for example when staff sign in to the administration."""
    browser.client.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 Firefox/140"
    browser.sign_in()
    before = Session.objects.values().get()

    data = browser.client.session
    data["more"] = "x"
    data.save()

    after = Session.objects.values().get()
    assert browser.client.session["more"] == "x"
    assert {**after, "session_data": "", "expire_date": ""} == {
        **before,
        "session_data": "",
        "expire_date": "",
    }


def test_staff_can_sign_in_to_the_administration(project: ProjectConfig) -> None:
    User.objects.create_superuser("anna", "a long password")
    client = Client()

    response = client.post("/admin/login/", {"username": "anna", "password": "a long password"})

    assert response.status_code == 302
    assert Session.objects.get().user == User.objects.get()
