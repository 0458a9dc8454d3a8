"""Whatever goes wrong, people get one page of the project, in their language, with a way on."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from authsvc.urls import handler400, handler403, handler404, handler500, urlpatterns
from projects.config import ProjectConfig, projects
from tests import factories
from tests.login.conftest import Browser, text_of

pytestmark = pytest.mark.django_db


def forbid(_request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def crash(_request: HttpRequest) -> HttpResponse:
    raise RuntimeError("secret detail")


def spoil(request: HttpRequest) -> HttpResponse:
    request.POST["x"]  # what Django cannot read it refuses
    return HttpResponse()


class Urls:
    """Ours, and paths that go wrong."""

    urlpatterns = [*urlpatterns, path("forbid/", forbid), path("crash/", crash), path("spoil/", spoil)]
    handler400, handler403, handler404, handler500 = handler400, handler403, handler404, handler500


@pytest.fixture
def client(project: ProjectConfig, settings: LazySettings) -> Client:
    settings.ROOT_URLCONF = Urls
    return Client(raise_request_exception=False)


WRONG: list[Any] = [
    pytest.param("get", "/nowhere/", 404, "There is no such page", id="404"),
    pytest.param("get", "/login/nowhere/", 404, "There is no such page", id="404 below a page"),
    pytest.param("get", "/forbid/", 403, "This is not allowed", id="403"),
    pytest.param("get", "/login/send/", 405, "This page cannot be opened this way", id="405"),
    pytest.param("put", "/login/", 405, "This page cannot be opened this way", id="405 of a form"),
    pytest.param("delete", "/account/", 405, "This page cannot be opened this way", id="405 of the account"),
    pytest.param("post", "/login/status/", 405, "This page cannot be opened this way", id="405 of the poll"),
    pytest.param("get", "/crash/", 500, "Something went wrong", id="500"),
    pytest.param("get", "/oauth2/authorize/", 400, "This link does not work", id="OAuth"),
    pytest.param(
        "get", "/oauth2/logout/?client_id=nobody", 400, "This link does not work", id="OAuth sign-out"
    ),
]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize("url", ["/login/", "/login/code/", "/login/status/", "/account/", "/logout/"])
def test_a_wrong_method_gets_405_without_a_token(method: str, url: str) -> None:
    """Over the wire, where Django's test client does not switch the forms' protection off."""
    browser = Client(enforce_csrf_checks=True)

    response = getattr(browser, method)(url)

    assert response.status_code == 405
    assert "This page cannot be opened this way" in text_of(response)
    assert "GET" in response.headers["Allow"]


def test_a_form_without_a_token_is_refused_still() -> None:
    browser = Client(enforce_csrf_checks=True)

    assert browser.post("/login/", {"phone": "+85251234567"}).status_code == 403
    assert browser.post("/login/status/").status_code == 405
    assert browser.post("/account/sessions/").status_code == 403


@pytest.mark.parametrize(("method", "url", "status", "title"), WRONG)
def test_each_error_is_one_page_of_the_project(
    client: Client, method: str, url: str, status: int, title: str
) -> None:
    response = getattr(client, method)(url)

    page = text_of(response)
    assert response.status_code == status
    assert f"<h1>{title}</h1>" in page
    assert "<bdi>Acme</bdi>" in page  # the brand
    assert 'rel="icon"' in page
    assert "secret detail" not in page
    assert response.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("method", "url", "status", "title"), WRONG)
def test_each_error_is_in_the_readers_language(
    client: Client, method: str, url: str, status: int, title: str
) -> None:
    response = getattr(client, method)(url, headers={"Accept-Language": "ar"})

    assert '<html lang="ar" dir="rtl">' in text_of(response)


@pytest.mark.parametrize(
    ("method", "url", "allowed"),
    [
        ("get", "/login/send/", {"POST"}),
        ("put", "/login/", {"GET", "HEAD", "POST"}),
        ("post", "/login/status/", {"GET", "HEAD"}),
        ("get", "/account/sessions/", {"POST"}),
    ],
)
def test_refused_method_says_which_are_taken(
    client: Client, method: str, url: str, allowed: set[str]
) -> None:
    """RFC 9110 15.5.6."""
    response = getattr(client, method)(url)

    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "The application is not known here."),
        ("client_id=nobody", "The application is not known here."),
        ("client_id=acme-web&redirect_uri=https%3A%2F%2Fevil.example%2F", "did not register this address"),
        ("client_id=acme-web&redirect_uri=nonsense", "did not register this address"),
        ("client_id=acme-web&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax", ""),
    ],
)
def test_a_bad_request_of_an_application_is_explained_in_our_words(
    client: Client, project: ProjectConfig, query: str, why: str
) -> None:
    """Used to show the English text of a library."""
    factories.make_client(project)

    response = client.get(f"/oauth2/authorize/?{query}")

    said = re.findall(r'<p class="why"><bdi dir="auto">(.*?)</bdi>', text_of(response))
    assert response.status_code == 400
    assert (why in said[0]) if why else (said == [])
    assert not re.search("redirect URI|client_id|parameter|Invalid|Mismatching", text_of(response))


def test_host_that_is_not_ours_is_a_page_without_a_name(project: ProjectConfig) -> None:
    response = Client().get("/login/", headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert "This request cannot be answered" in text_of(response)
    assert "Acme" not in text_of(response)


def test_page_of_a_crash_needs_no_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be what went wrong."""

    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(projects, "get", away)

    response = client.get("/crash/")

    assert response.status_code == 500
    assert "Something went wrong" in text_of(response)


def test_form_that_is_not_ours_is_a_page_of_the_project(project: ProjectConfig) -> None:
    """And the way back leads where the person was going."""
    client = Client(enforce_csrf_checks=True)

    response = client.post("/login/", {"phone": factories.PHONE, "next": "/account/?a=1"})

    assert response.status_code == 403
    assert "<bdi>Acme</bdi>" in text_of(response)
    assert 'href="/login/?next=%2Faccount%2F%3Fa%3D1"' in text_of(response)


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_programs_get_problems(client: Client, method: str) -> None:
    """What is under /api/ stays as it was."""
    response = getattr(client, method)("/api/v1/nowhere")

    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_icon_is_served_at_the_root(project: ProjectConfig) -> None:
    response = Client().get("/favicon.ico")

    body = b"".join(response)
    assert response.status_code == 200
    assert response.headers["Content-Type"] in ("image/x-icon", "image/vnd.microsoft.icon")
    assert body[:4] == b"\0\0\1\0"


# Who is signed in already, and who no longer is ----------------------------------------------------


def test_signed_in_person_may_go_on_or_use_another_number(browser: Browser) -> None:
    """Used to show an empty form without an explanation."""
    browser.sign_in()

    page = browser.page("/login/?next=%2Faccount%2F%3Fa%3D1")

    assert '<a class="primary" href="/account/?a=1">' in page
    assert 'Continue as <bdi dir="ltr">+852 5123 4567</bdi>' in page
    assert "or use another number" in page
    assert browser.ask(factories.OTHER_PHONE).status_code == 302
    assert browser.enter(browser.code).headers["Location"] == "/account/"


@pytest.mark.parametrize("query", ["prompt=login", "prompt=consent%20login", "max_age=0"])
def test_there_is_no_redirect_loop(browser: Browser, query: str) -> None:
    """An application that demands a new login gets one."""
    browser.sign_in()

    page = browser.page(
        f"/login/?next=%2Foauth2%2Fauthorize%2F%3F{query.replace('=', '%3D').replace('%20', '%2520')}"
    )

    assert "Continue as" not in page
    assert 'name="phone"' in page


def test_the_number_of_a_signed_in_person_is_shown_only_to_them(
    browser: Browser, other_browser: Browser
) -> None:
    """G12."""
    browser.sign_in()

    assert "Continue as" not in other_browser.page("/login/")


def test_signing_out_is_confirmed_once(browser: Browser) -> None:
    browser.sign_in()

    page = text_of(browser.client.post("/logout/", follow=True))

    assert '<p class="notice" role="status">You are signed out.</p>' in page
    assert "You are signed out" not in browser.page("/login/")


def test_signing_out_everywhere_is_confirmed_too(browser: Browser) -> None:
    browser.sign_in()

    page = text_of(browser.client.post("/account/sessions/", {"all": "1"}, follow=True))

    assert "You are signed out." in page


def test_sign_out_ends_no_login_of_another_tab(browser: Browser) -> None:
    browser.sign_in()
    browser.ask(factories.OTHER_PHONE, next="/account/?b")

    browser.client.post("/logout/")

    assert browser.enter(browser.code).headers["Location"] == "/account/?b"
