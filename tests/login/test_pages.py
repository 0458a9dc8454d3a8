"""What all pages share: headers, languages, where they may lead."""

import secrets

import pytest
from django.conf import LazySettings
from django.test import Client, RequestFactory

from login import csp
from login.pages import requested_language, safe_next
from projects.config import ProjectConfig
from projects.models import Domain, Project
from tests import factories
from tests.login.conftest import Browser, text_of

pytestmark = pytest.mark.django_db


# Where a login may lead --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        "/account/",
        "/oauth2/authorize/?client_id=a&redirect_uri=https%3A%2F%2Fapp.example%2Fcb",
        "/a?b=//c",
        "/%5Cevil.example",
    ],
)
def test_paths_of_this_host_are_followed(wanted: str) -> None:
    assert safe_next(RequestFactory().get("/"), wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "account",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "https://testserver/account/",
        "javascript:alert(1)",
        " /account/",
        "/\t/evil.example",
        "/a\r\nSet-Cookie: a=b",
        "/a\0b",
        "/a b",
        "/" + "a" * 2500,
    ],
)
def test_other_places_are_never_followed(wanted: str) -> None:
    """F10."""
    assert safe_next(RequestFactory().get("/"), wanted) == ""


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https:evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_login_to_another_place_ends_at_the_account(browser: Browser, wanted: str) -> None:
    """F10: over the URL of the page and over its form."""
    assert 'name="next" value=""' in browser.page(f"/login/?next={wanted}")

    assert browser.sign_in(next=wanted).headers["Location"] == "/account/"


def test_long_return_addresses_fit_into_the_cookie(browser: Browser) -> None:
    wanted = "/oauth2/authorize/?state=" + secrets.token_urlsafe(3000)[:2000]

    response = browser.ask(next=wanted)

    assert len(response.cookies["login"].OutputString()) < 4096
    assert browser.enter(browser.code).headers["Location"] == wanted


# Headers -----------------------------------------------------------------------------------------

PAGES = [
    "/",
    "/login/",
    "/login/code/",
    "/login/status/",
    "/login/send/",
    "/logout/",
    "/account/",
    "/account/sessions/",
]


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_every_answer_is_private(browser: Browser, url: str, method: str) -> None:
    """G1, G3."""
    browser.ask()

    response = getattr(browser.client, method)(url)

    assert response.status_code < 500
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    policy = response.headers["Content-Security-Policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("url", ["/nowhere/", "/login/nowhere/"])
def test_missing_pages_look_the_same_and_are_as_strict(browser: Browser, url: str) -> None:
    """G1, E7."""
    response = browser.client.get(url)

    assert response.status_code == 404
    assert "There is no such page" in text_of(response)
    assert "object-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("code", [400, 403, 404, 500])
def test_error_pages_need_no_context(code: int) -> None:
    from django.template.loader import render_to_string

    page = render_to_string(f"{code}.html")

    assert '<html lang="en" dir="ltr">' in page
    assert "/static/login/login.css" in page


def test_unknown_host_is_a_bad_request(project: ProjectConfig) -> None:
    assert Client().get("/login/", headers={"Host": "evil.example"}).status_code == 400


def test_pages_hold_no_inline_script_or_style_and_nothing_foreign(browser: Browser) -> None:
    """G1, G4."""
    browser.ask()
    pages = [browser.page(url) for url in ("/login/", "/login/code/")]
    browser.enter(browser.code)
    pages += [browser.page(url) for url in ("/account/", "/logout/")]

    for page in pages:
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<script>" not in page
        assert "//" not in page.replace("<!doctype", "").replace("http://testserver", "")


def test_name_of_a_project_is_only_text(db: None) -> None:
    """G5."""
    factories.make_project(name='"><script>alert(1)</script></style>')

    page = Client().get("/login/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


# Projects ----------------------------------------------------------------------------------------


def test_host_without_a_project_says_so(db: None) -> None:
    for url in ("/login/", "/login/code/", "/account/", "/logout/"):
        response = Client().get(url)

        assert response.status_code == 503
        assert "No project is set up for this host" in text_of(response)
        assert response.headers["Cache-Control"] == "no-store"


def test_each_host_has_its_own_project(project: ProjectConfig, settings: LazySettings) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "login.other.example"]
    other = factories.make_project(slug="other", name="Other", is_default=False)
    Domain.objects.create(project=Project.objects.get(id=other.id), host="login.other.example")

    assert "Acme" in text_of(Client().get("/login/"))
    assert "Other" in text_of(Client().get("/login/", headers={"Host": "login.other.example"}))


# Languages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("lang=ar", "ar"),
        ("ui_locales=xx%20pt-BR%20en", "pt-br"),
        ("lang=zh-HK", "zh-hant"),
        ("lang=xx", ""),
        ("lang=" + "a" * 10_000, ""),
        ("lang=%00", ""),
        ("", ""),
    ],
)
def test_language_can_be_asked_for(query: str, language: str) -> None:
    assert requested_language(RequestFactory().get(f"/login/?{query}")) == language


def test_chosen_language_is_remembered(browser: Browser) -> None:
    assert '<html lang="ar" dir="rtl">' in browser.page("/login/?lang=ar")

    browser.ask()

    assert '<html lang="ar" dir="rtl">' in browser.page()


# Where the code page's form may end --------------------------------------------------------------


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("https%3A%2F%2Fapp.example%2Fcallback", "https://app.example"),
        ("http%3A%2F%2Flocalhost%3A3000%2Fcb", "http://localhost:3000"),
        ("http%3A%2F%2F%5B%3A%3A1%5D%3A3000%2Fcb", "http://[::1]:3000"),
        ("com.example.app%3A%2Fcallback", "com.example.app:"),
        ("javascript%3Aalert(1)", ""),
        ("data%3Atext%2Fhtml", ""),
        ("https%3A%2F%2Fa%3B%20script-src%20*", ""),
        ("https%3A%2F%2Fuser%40app.example%2F", ""),
        ("https%3A%2F%2F%5Bbroken", ""),
        ("%2Frelative", ""),
        ("", ""),
    ],
)
def test_only_the_waiting_application_is_added_to_form_action(redirect_uri: str, source: str) -> None:
    assert csp.application_source(f"/oauth2/authorize/?client_id=a&redirect_uri={redirect_uri}") == source


def test_other_pages_add_nothing_to_form_action() -> None:
    assert csp.application_source("/account/?redirect_uri=https%3A%2F%2Fapp.example%2F") == ""


def test_code_page_lets_its_form_end_at_the_application(browser: Browser) -> None:
    """G1: Chromium applies form-action to the redirects that follow; everything else stays as strict."""
    browser.ask(next="/oauth2/authorize/?redirect_uri=https%3A%2F%2Fapp.example%2Fcb")

    policy = browser.client.get("/login/code/").headers["Content-Security-Policy"]

    assert "form-action 'self' https://app.example;" in policy
    for part in ("default-src 'self'", "script-src 'self';", "object-src 'none'", "frame-ancestors 'none'"):
        assert part in policy
