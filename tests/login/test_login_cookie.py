"""The cookie of a login under way: whose it is, what it holds, and how much."""

import secrets
import time
import uuid
from dataclasses import fields
from typing import Any

import pytest
from django.conf import LazySettings, settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from login import login_cookie, seals
from login.login_cookie import LoginCookie, PendingLogin
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser

pytestmark = pytest.mark.django_db


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(
    browser: Browser, settings: LazySettings
) -> None:
    """F3: with the names and flags of production."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.LOGIN_COOKIE_NAME = "__Host-sessionid", "__Host-login"
    settings.CSRF_COOKIE_NAME = "__Host-csrftoken"
    started = browser.ask()
    finished = browser.enter(browser.code)

    cookies = [
        started.cookies["__Host-login"],
        finished.cookies["__Host-sessionid"],
        finished.cookies["__Host-csrftoken"],
    ]
    for cookie in cookies:
        assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
        assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_login_cookie_shows_no_number_and_no_code(browser: Browser) -> None:
    """Cookies may be logged: the typed number in it is encrypted."""
    browser.ask(factories.PHONE)

    raw = browser.client.cookies["login"].value
    opened = b"".join(seals.decode(part) for part in raw.split("."))
    assert browser.login_cookie.logins[0].phone == factories.PHONE
    for secret in (
        b"51234567",
        browser.code.encode(),
        browser.challenge_id.hex.encode(),
        browser.challenge_id.bytes,
    ):
        assert secret not in raw.encode() + opened


def test_forged_and_foreign_cookies_count_as_none(browser: Browser, project: ProjectConfig) -> None:
    """A7, F9."""
    browser.ask()
    good = browser.client.cookies["login"].value
    secret, _dot, sealed = good.partition(".")
    elsewhere = login_cookie.read(_request(good), factories.make_project(slug="other", is_default=False))
    assert (elsewhere.logins, elsewhere.is_new) == ((), True)
    for cookie in (
        "",
        "nonsense",
        ".",
        good[:-2] + "xx",
        f"{seals.encode(seals.new_secret())}.{sealed}",  # of another browser
        f"{secret}.",
        f"{secret}.{browser.login_cookie.reference(browser.login_cookie.logins[0])}",  # sealed for something else
        f"{secret}.{browser.login_cookie.form_token()}",
        f"{secret}é.{sealed}",
        "x" * 10_240,
        "\0",
    ):
        read = login_cookie.read(_request(cookie), project)

        assert (read.logins, read.notice, read.hint, read.is_new) == ((), "", "", True)


def _request(cookie: str) -> HttpRequest:
    request = RequestFactory().get("/")
    request.COOKIES["login"] = cookie
    return request


def test_old_cookies_count_as_none(browser: Browser) -> None:
    browser.ask()

    with later(31 * 60):
        assert browser.client.get("/login/status/").status_code == 404


def a_login(**fields: Any) -> PendingLogin:
    return PendingLogin(challenge_id=uuid.uuid4(), started_ms=int(time.time() * 1000), **fields)


def test_cookie_brings_back_what_was_put_in(project: ProjectConfig) -> None:
    login = a_login(phone_key="k", next="/a", phone="5123 4567", country="HK", notice="unavailable")
    put = LoginCookie(secret=seals.new_secret(), logins=(login, a_login()), notice="used", hint="+852")
    response = HttpResponse()
    login_cookie.write(response, project, put)

    assert login_cookie.read(_request(response.cookies["login"].value), project) == put


def test_cookie_that_is_full_loses_the_oldest(project: ProjectConfig) -> None:
    """A browser drops a cookie of more than 4096 bytes as a whole."""
    cookie = LoginCookie(secret=seals.new_secret())
    logins = [a_login(next="/oauth2/authorize/?state=" + secrets.token_urlsafe(900)) for _ in range(8)]
    for login in logins:
        cookie = cookie.adding(login)
    response = HttpResponse()
    login_cookie.write(response, project, cookie)

    kept = login_cookie.read(_request(response.cookies["login"].value), project)

    assert len(response.cookies["login"].OutputString()) < 4096
    assert 1 < len(kept.logins) < 8
    assert list(kept.logins) == logins[: -len(kept.logins) - 1 : -1]
    assert kept.open(cookie.form_value(logins[0])) == logins[0]  # its form knows it still


def test_the_cookie_holds_every_field_of_a_login(project: ProjectConfig) -> None:
    """A field that is added and not written would be lost from one request to the next."""
    texts = {field.name: f"<{field.name}>" for field in fields(PendingLogin) if field.type is str}
    started_ms = int(time.time() * 1000)
    login = PendingLogin(challenge_id=uuid.uuid4(), started_ms=started_ms, **texts)
    response = HttpResponse()

    login_cookie.write(response, project, LoginCookie(secret=seals.new_secret(), logins=(login,)))

    read = login_cookie.parse(response.cookies[settings.LOGIN_COOKIE_NAME].value, project.id)
    assert read
    assert read.logins == (login,)
    assert len(texts) == len(fields(PendingLogin)) - 2
