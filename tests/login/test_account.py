"""The account page, signing out, here and everywhere."""

import re

import pytest
from django.conf import settings
from django.test import Client

from login import user_agents
from login.account import masked_address
from login.models import Session
from projects.config import ProjectConfig
from tests import factories
from tests.clock import later
from tests.login.conftest import Browser, text_of
from tests.login.support import csrf_of
from users.models import User

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile/15E148 Safari/604"
CHROME = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0"


@pytest.fixture
def two_browsers(browser: Browser, other_browser: Browser) -> tuple[Browser, Browser]:
    """One person, signed in twice."""
    browser.client.defaults["HTTP_USER_AGENT"] = FIREFOX
    other_browser.client.defaults["HTTP_USER_AGENT"] = SAFARI
    browser.sign_in()
    with later(60):
        other_browser.sign_in()
    return browser, other_browser


def test_account_needs_a_login(browser: Browser) -> None:
    """F9."""
    response = browser.client.get("/account/")

    assert (response.status_code, response.headers["Location"]) == (303, "/login/?next=%2Faccount%2F")


def test_start_page_leads_to_the_account(browser: Browser) -> None:
    assert browser.client.get("/").headers["Location"] == "/account/"


def test_account_shows_the_masked_number_only(browser: Browser) -> None:
    """G12."""
    browser.sign_in()

    page = browser.page("/account/")

    assert re.search(r'<bdi dir="ltr" class="number">\+852 [• ]+67</bdi>', page)
    assert "5123" not in page


def test_account_lists_sessions_with_the_current_one_first(two_browsers: tuple[Browser, Browser]) -> None:
    """F7."""
    page = two_browsers[0].page("/account/")

    lines = re.findall(r"<li>\s*<div><b>(.*?)</b>(.*?)</li>", page, re.DOTALL)
    assert [name for name, _ in lines] == ["Firefox on Linux", "Safari on iPhone"]
    assert "This device" in lines[0][1]
    assert "203.0.113.…" in lines[1][1]
    assert "203.0.113.99" not in page


def test_sessions_of_others_are_not_listed(browser: Browser, other_browser: Browser) -> None:
    browser.sign_in()
    other_browser.sign_in(factories.OTHER_PHONE)

    assert browser.page("/account/").count('class="badge">This device') == 1
    assert 'name="session"' not in browser.page("/account/")


def test_another_session_can_be_ended(two_browsers: tuple[Browser, Browser]) -> None:
    """F7."""
    here, there = two_browsers
    found = re.search(r'name="session" value="([^"]+)"', here.page("/account/"))
    assert found

    assert here.client.post("/account/sessions/", {"session": found[1]}).headers["Location"] == "/account/"

    assert here.is_signed_in
    assert not there.is_signed_in


def test_ending_the_current_session_signs_out(browser: Browser) -> None:
    browser.sign_in()

    response = browser.client.post("/account/sessions/", {"session": str(Session.objects.get().id)})

    assert response.headers["Location"] == "/login/"
    assert not browser.is_signed_in


def test_another_persons_session_cannot_be_ended(browser: Browser, other_browser: Browser) -> None:
    browser.sign_in()
    other_browser.sign_in(factories.OTHER_PHONE)
    theirs = Session.objects.get(user__phone=factories.OTHER_PHONE)

    browser.client.post("/account/sessions/", {"session": str(theirs.id)})

    assert other_browser.is_signed_in


@pytest.mark.parametrize(
    "session", ["", "nonsense", "x" * 10_240, "\0", "11adbc06-2e8a-4f9e-8889-a5c1b531bb12"]
)
def test_unknown_sessions_are_nothing_to_end(browser: Browser, session: str) -> None:
    browser.sign_in()

    assert browser.client.post("/account/sessions/", {"session": session}).headers["Location"] == "/account/"
    assert browser.is_signed_in


def test_sign_out_everywhere_keeps_none(two_browsers: tuple[Browser, Browser]) -> None:
    """F7."""
    here, there = two_browsers

    response = here.client.post("/account/sessions/", {"all": "1"})

    assert response.headers["Location"] == "/login/"
    assert not here.is_signed_in
    assert not there.is_signed_in
    assert not Session.objects.exists()


def test_ending_sessions_needs_a_login(browser: Browser) -> None:
    browser.sign_in()
    row = Session.objects.get()

    Client().post("/account/sessions/", {"session": str(row.id), "all": "1"})

    assert browser.is_signed_in


def test_logout_by_get_only_asks(browser: Browser) -> None:
    """F8: an image or a link elsewhere signs no one out."""
    browser.sign_in()

    page = browser.page("/logout/")

    assert "Sign out?" in page
    assert '<form method="post" action="/logout/">' in page
    assert browser.is_signed_in


def test_logout_ends_the_session_on_the_server(browser: Browser) -> None:
    """F5."""
    browser.sign_in()
    cookie = browser.client.cookies[settings.SESSION_COOKIE_NAME].value

    response = browser.client.post("/logout/")

    assert response.headers["Location"] == "/login/"
    assert response.cookies[settings.SESSION_COOKIE_NAME].value == ""
    browser.client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    assert not browser.is_signed_in
    assert not Session.objects.exists()


def test_logout_leads_to_allowed_places_only(browser: Browser) -> None:
    """F10."""
    assert (
        browser.client.post("/logout/", {"next": "/oauth2/logout/"}).headers["Location"] == "/oauth2/logout/"
    )
    assert browser.client.post("/logout/", {"next": "//evil.example"}).headers["Location"] == "/login/"


def test_logout_without_a_login_leads_to_the_login(browser: Browser) -> None:
    assert browser.client.get("/logout/").headers["Location"] == "/login/"
    assert browser.client.post("/logout/").headers["Location"] == "/login/"


@pytest.mark.parametrize("url", ["/logout/", "/account/sessions/"])
def test_posts_without_csrf_token_end_nothing(project: ProjectConfig, url: str) -> None:
    """F8."""
    browser = Browser(enforce_csrf_checks=True)
    token = csrf_of(browser.page("/login/"))
    browser.client.post("/login/", {"phone": factories.PHONE, "csrfmiddlewaretoken": token})
    browser.enter(browser.code, csrfmiddlewaretoken=token)

    assert browser.client.post(url, {"all": "1"}).status_code == 403
    assert browser.is_signed_in


def test_staff_are_shown_to_the_administration(project: ProjectConfig) -> None:
    client = Client()
    client.force_login(User.objects.create_user("anna", "a long password"))

    response = client.get("/account/")

    assert 'href="/admin/"' in text_of(response)
    assert client.post("/account/sessions/", {"all": "1"}).headers["Location"].startswith("/login/")
    assert client.get("/account/").status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        (FIREFOX, "Firefox", "Linux"),
        (SAFARI, "Safari", "iPhone"),
        (CHROME, "Chrome", "Android"),
        (EDGE, "Edge", "Windows"),
        ("curl/8.0", "", ""),
        ("", "", ""),
    ],
)
def test_browsers_are_named(user_agent: str, browser: str, system: str) -> None:
    assert (user_agents.browser(user_agent), user_agents.system(user_agent)) == (browser, system)


@pytest.mark.parametrize(
    ("address", "shown"),
    [("203.0.113.99", "203.0.113.…"), ("2001:db8:1:2::3", "2001:0db8:0001:…"), ("", ""), ("nonsense", "")],
)
def test_addresses_are_shown_in_part(address: str, shown: str) -> None:
    assert masked_address(address) == shown


def test_unknown_browser_has_a_name_too(browser: Browser) -> None:
    browser.client.defaults["HTTP_USER_AGENT"] = "curl/8.0"
    browser.sign_in()

    assert "Unknown browser" in browser.page("/account/")


def test_buttons_of_the_account_ignore_a_tap_meant_for_the_page_before(browser: Browser) -> None:
    """G8: a late tap on "Continue" must not sign out. The style sheet disarms these forms for a moment."""
    browser.sign_in()

    forms = re.findall(r"<form[^>]*>", browser.page("/account/"))

    assert forms
    assert all('class="armed"' in form for form in forms)
